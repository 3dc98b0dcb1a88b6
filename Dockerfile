# The operator, and `heretic` beside it. Built by `make image`, or on any machine that reaches a registry:
#
#   docker build --tag localhost/heretic-operator:0.1.0 .
#
# The base is a Debian with Python 3.11 or later, venv and the certificates of public authorities. Debian's packages and
# the wheels below run on every x86-64 processor: the machines of small sites are old.
ARG BASE=docker.io/library/python:3.13-slim-trixie
# The same base, for the first stage. What it lacks to compile C is installed there.
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
RUN { command -v gcc && command -v xml2-config; } >/dev/null \
 || { apt-get -qq update && apt-get -qq install -y --no-install-recommends gcc libc6-dev libxml2-dev >/dev/null; }
# Where the building machine says so: another package index, and who vouches for it.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG PIP_CERT
ARG PIP_PROXY
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements requirements
# Only files whose hash uv.lock knows, and only wheels but for one: the oVirt SDK is published as source, and has a part in C.
RUN python3 -m venv /build \
 && /build/bin/pip install -q --only-binary :all: --require-hashes -r requirements/build.txt \
 && /build/bin/pip wheel -q --no-deps --no-build-isolation --require-hashes \
    --only-binary :all: --no-binary ovirt-engine-sdk-python --wheel-dir /packages -r requirements/operator.txt \
 && python3 -m venv --without-pip /opt/heretic \
 && /build/bin/pip --python /opt/heretic/bin/python3 install -q --no-compile --no-deps --no-index /packages/*.whl
# The client library's typed calls and types for all of Kubernetes: most of its size, and nothing here needs them
# (docs/adr/0027, 0037).
RUN cd /opt/heretic/lib/python3*/site-packages/kubernetes \
 && rm -r client/api aio/client/api \
 && find client/models aio/client/models -type f ! -name __init__.py -delete \
 && /opt/heretic/bin/python3 -m compileall -q /opt/heretic/lib \
 && /opt/heretic/bin/python3 -c "import kopf, kubernetes.aio.client.api_client, kubernetes.aio.config.kube_config" \
 && /opt/heretic/bin/python3 -c "import ovirtsdk4.xml"
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
# The one shared library that is neither in the wheels nor in every Debian: the oVirt SDK's.
RUN /sbin/ldconfig -p | grep -q 'libxml2\.so' \
 || { apt-get -qq update && apt-get -qq install -y --no-install-recommends libxml2 >/dev/null && rm -r /var/lib/apt/lists/*; }
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
