"""A Kubernetes of etcd, kube-apiserver, kube-controller-manager: objects, admission, controllers.

There is no kubelet: pods are made and stay pending, until a test says that one runs.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from streams.embedded import Child, free_port

_TOKEN: Final = "administrator"
_SECONDS: Final = 90.0


class Cluster:
    """Commands against a running one."""

    def __init__(self, kubeconfig: Path, kubectl: str, helm: str) -> None:
        self._kubeconfig = kubeconfig
        self._kubectl = kubectl
        self._helm = helm

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=120, check=False,
            env={"KUBECONFIG": str(self._kubeconfig), "HOME": str(self._kubeconfig.parent)},
        )  # fmt: skip

    def ready(self) -> bool:
        return self.run(self._kubectl, "get", "--raw", "/readyz").returncode == 0

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        done = self.run(self._kubectl, *arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def helm(self, *arguments: str) -> str:
        done = self.run(self._helm, *arguments)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def items(self, kinds: str, namespace: str, *more: str) -> list[dict[str, Any]]:
        found = self.kubectl("get", kinds, "-n", namespace, "-o", "json", *more)
        return list(json.loads(found)["items"])

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def raw(self, path: str, body: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        return self.run(self._kubectl, "create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def until(what: str, ask: Callable[[], Any]) -> Any:
    """The first answer that is true; AssertionError after 90 s."""
    end = time.monotonic() + _SECONDS
    while not (answer := ask()):
        assert time.monotonic() < end, f"not within {_SECONDS:.0f} s: {what}"
        time.sleep(0.2)
    return answer


@contextmanager
def cluster(folder: Path, tool: Callable[[str], str]) -> Iterator[Cluster]:
    """Started, ready, and stopped at the end; everything lies in `folder`."""
    server, client, peer = free_port(), free_port(), free_port()
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    account_key = folder / "accounts.pem"
    account_key.write_bytes(key)
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{_TOKEN},administrator,1,system:masters\n")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "users": [{"name": "it", "user": {"token": _TOKEN}}],
                "clusters": [
                    {
                        "name": "it",
                        "cluster": {
                            "server": f"https://127.0.0.1:{server}",
                            "insecure-skip-tls-verify": True,
                        },
                    }
                ],
            }
        )
    )
    etcd = [
        tool("etcd"), "--data-dir", folder / "etcd", "--unsafe-no-fsync",
        "--listen-client-urls", f"http://127.0.0.1:{client}",
        "--advertise-client-urls", f"http://127.0.0.1:{client}",
        "--listen-peer-urls", f"http://127.0.0.1:{peer}",
    ]  # fmt: skip
    api = [
        tool("cluster"), "kube-apiserver", "--bind-address=127.0.0.1", f"--secure-port={server}",
        f"--etcd-servers=http://127.0.0.1:{client}", f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={tokens}", "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://it",
        f"--service-account-key-file={account_key}",
        f"--service-account-signing-key-file={account_key}",
    ]  # fmt: skip
    controllers = [
        tool("cluster"), "kube-controller-manager", f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={account_key}", "--leader-elect=false",
        f"--secure-port={free_port()}", f"--cert-dir={folder / 'certs'}",
        "--bind-address=127.0.0.1",
    ]  # fmt: skip
    running = Cluster(kubeconfig, tool("kubectl"), tool("helm"))
    with ExitStack() as stack:
        stack.enter_context(Child("etcd", etcd, log=folder / "etcd.log"))
        stack.enter_context(Child("kube-apiserver", api, log=folder / "apiserver.log"))
        until("the API server is ready", running.ready)
        stack.enter_context(
            Child("kube-controller-manager", controllers, log=folder / "controllers.log")
        )
        until("controllers run", lambda: running.items("serviceaccounts", "default"))
        yield running
