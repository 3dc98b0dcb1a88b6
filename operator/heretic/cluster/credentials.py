"""Who we are to an API server, and where it is: read from a kubeconfig or from a pod's ServiceAccount.

Reads with the Kubernetes client library, and only with its generic part: the typed models of all of Kubernetes would
take more memory than the rest of the operator (docs/adr/0027).
"""

import asyncio
import binascii
import os
import ssl
from typing import TYPE_CHECKING

from heretic.cluster import kubeconfig

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient, Configuration

LOGIN_TIMEOUT = 120.0
"""Seconds that reading credentials may take: a plugin may ask a person."""


async def log_in(path: str | None, context: str | None) -> "ApiClient":
    """A client with fresh credentials.

    Args:
        path: Of a kubeconfig file; None = the pod's service account, else the user's files.
        context: Context in that file; None = the current one.

    Raises:
        HereticError: NeedsUser, when there is no usable configuration.
    """
    if path is None and "KUBECONFIG" not in os.environ and in_pod():
        return _client_in_pod()
    paths = kubeconfig.paths(path)
    found = kubeconfig.read(paths)
    if not found.paths:
        names = " or ".join(map(str, paths))
        raise kubeconfig.wrong(f"there is no kubeconfig {names}: give --kubeconfig FILE or set KUBECONFIG")
    return await _client_of(found, found.choose(context))


def _client_in_pod() -> "ApiClient":
    from kubernetes.aio.config import load_incluster_config
    from kubernetes.aio.config.config_exception import ConfigException

    configuration = _configuration()
    try:
        load_incluster_config(client_configuration=configuration)
        return _named(configuration)
    except (ConfigException, OSError, ValueError) as error:
        said = f"this pod has no usable token of a ServiceAccount: {line(error)}"
        raise kubeconfig.wrong(f"{said}; set automountServiceAccountToken: true for it") from error


async def _client_of(found: kubeconfig.Kubeconfig, context: str) -> "ApiClient":
    from kubernetes.aio.config import kube_config
    from kubernetes.aio.config.config_exception import ConfigException

    configuration = _configuration()
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            loader = await kube_config.load_kube_config(
                os.pathsep.join(map(str, found.paths)), context, configuration, persist_config=False
            )
        client = _named(configuration)
    except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # The library has no one error for what it does not understand.
        said = f"{found.said} cannot be used with context {context!r}: {_misread(error)}"
        raise kubeconfig.wrong(said) from None  # its own text may show the whole entry of a user
    finally:
        # It writes certificates and keys into files for TLS, which has read them by now.
        kube_config._cleanup_temp_files()
    user = found.user_of(context)
    if user.get("exec") and not (hasattr(loader, "token") or getattr(loader, "cert_file", None)):
        # The library only logs that a plugin failed, and goes on without credentials.
        plugin = " ".join(map(str, (user["exec"].get("command"), *(user["exec"].get("args") or ()))))
        said = f"the plugin of context {context!r} of {found.said} gives no credentials"
        raise kubeconfig.wrong(f"{said}: try it by hand: {plugin}")
    if not (await headers(client)).get("Authorization", "").isprintable():
        raise kubeconfig.wrong(f"the token of context {context!r} of {found.said} is not one line of text")
    return client


def _misread(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"its plugin or login server gave nothing within {LOGIN_TIMEOUT:.0f} s"
        case ssl.SSLError():
            return f"a certificate or key in it is damaged, or they do not belong together ({line(error)})"
        case binascii.Error():
            return "a certificate or key in it is not base64"
        case _:
            return line(error).partition("{")[0].rstrip() or type(error).__name__


def _configuration() -> "Configuration":
    from kubernetes.aio.client import Configuration

    configuration = Configuration(client_session_kwargs={"trust_env": False})
    # Python 3.13 refuses certificates for faults of form that kubectl and its clusters live with.
    configuration.disable_strict_ssl_verification = True
    return configuration


def _named(configuration: "Configuration") -> "ApiClient":
    from kubernetes.aio.client import ApiClient

    client = ApiClient(configuration)
    client.user_agent = "heretic"
    return client


def in_pod() -> bool:
    """Whether this process runs in a pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


async def headers(client: "ApiClient") -> dict[str, str]:
    """What each request carries.

    The library adds its token only where generated code asks for it, and keeps the line end of a token file.
    """
    token = str(await client.configuration.get_api_key_with_prefix("BearerToken") or "").strip()
    always = {"User-Agent": client.user_agent, "Accept": "application/json"}
    return always | ({"Authorization": token} if token else {})


def line(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
