# The operator, and `heretic` beside it. Built by `make image`, or on any machine that reaches a registry:
#
#   docker build --tag localhost/heretic-operator:0.1.0 .
#
# The base needs Python 3.11 or later with venv and the certificates of public authorities, and nothing else. Debian's
# packages and the wheels below run on every x86-64 processor: the machines of small sites are old.
ARG BASE=docker.io/library/python:3.13-slim-trixie

FROM ${BASE} AS build
# Where the building machine says so: another package index, and who vouches for it.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_CERT
ARG PIP_PROXY
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements requirements
# Only wheels, and only those whose hash uv.lock knows: nothing is compiled, and nothing unknown is run.
RUN python3 -m venv /build \
 && /build/bin/pip install -q --only-binary :all: --require-hashes -r requirements/build.txt \
 && python3 -m venv --without-pip /opt/heretic \
 && /build/bin/pip --python /opt/heretic/bin/python3 install -q --no-compile --only-binary :all: --require-hashes \
    -r requirements/operator.txt
# The client library's typed calls for all of Kubernetes: 54 MB that nothing here loads (docs/adr/0027).
RUN rm -r /opt/heretic/lib/python3*/site-packages/kubernetes/client/api \
    /opt/heretic/lib/python3*/site-packages/kubernetes/aio/client/api \
 && /opt/heretic/bin/python3 -m compileall -q /opt/heretic/lib \
 && /opt/heretic/bin/python3 -c "import kopf, kubernetes.aio.client.api_client, kubernetes.aio.config.kube_config"
COPY pyproject.toml README.md LICENSE ./
COPY manifests manifests
COPY operator operator
RUN /build/bin/pip --python /build/bin/python3 wheel -q --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /build/bin/pip --python /opt/heretic/bin/python3 install -q --no-deps --no-index /wheels/*.whl \
 && /opt/heretic/bin/python3 -c "from heretic.cli.bundle import operator_objects; operator_objects('k3s')"

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="heretic-operator" \
      org.opencontainers.image.description="Keeps small hyperconverged sites in the state that Kubernetes resources declare" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/heretic /opt/heretic
# Nothing is written, so that the root filesystem can be read-only: no bytecode, no home.
ENV PATH=/opt/heretic/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/ \
    USER=heretic \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /
# A number: Kubernetes cannot tell from a name that it is not root. Any other user can run it as well.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["heretic-operator"]
