#!/usr/bin/env bash
# Installs what checks the chart into $TOOLS (~/.cache/streams-tools): helm and kube-score, made by Go
# 1.24 or newer, and Python's checkers in an environment of their own.  What is there already stays.
#   install.sh             four to five minutes on two cores, once (helm takes three)
#   install.sh cluster     also kube-apiserver and kube-controller-manager, for `make test-k8s`: ten minutes more
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=${TOOLS:-$HOME/.cache/streams-tools}
mkdir -p "$tools/bin"

command -v go >/dev/null || {
  echo "install.sh: needs Go 1.24 or newer on the PATH" >&2
  exit 2
}
install_go() { # name, package@version
  [ "$(cat "$tools/$1.version" 2>/dev/null)" = "$2" ] && [ -x "$tools/bin/$1" ] && return
  echo "installing $2"
  GOBIN=$tools/bin CGO_ENABLED=0 go install -ldflags '-s -w' "$2"
  echo "$2" >"$tools/$1.version"
}
install_go helm helm.sh/helm/v3/cmd/helm@v3.19.0
install_go kube-score github.com/zegl/kube-score/cmd/kube-score@v1.20.0

if ! cmp -s "$here/requirements.txt" "$tools/requirements.txt"; then
  echo "installing checkov, kubernetes-validate and models of operators' objects"
  rm -rf "$tools/python"
  "${PYTHON:-python3}" -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check \
    --only-binary :all: -r "$here/requirements.txt"
  ln -sf "$tools/python/bin/checkov" "$tools/python/bin/kubernetes-validate" "$tools/bin/"
  cp "$here/requirements.txt" "$tools/requirements.txt"
fi

if [ "${1:-}" = cluster ]; then
  sum=$(cat "$here"/cluster/go.* "$here/cluster/main.go" | sha256sum)
  if [ "$(cat "$tools/cluster.version" 2>/dev/null)" != "$sum" ] || [ ! -x "$tools/bin/cluster" ]; then
    echo "building kube-apiserver and kube-controller-manager"
    version=k8s.io/component-base/version
    (cd "$here/cluster" && CGO_ENABLED=0 go build -o "$tools/bin/cluster" -ldflags \
      "-s -w -X $version.gitVersion=v1.34.4 -X $version.gitMajor=1 -X $version.gitMinor=34" .)
    echo "$sum" >"$tools/cluster.version"
  fi
fi
