#!/bin/sh
# Installs from Debian what the tests run for real, and starts none of it. Needs root; without, it says what is missing.
set -eu

packages="nginx redis-server redis-tools memcached postgresql mariadb-server shellcheck chromium mmdebstrap
systemd-container debian-archive-keyring iproute2 python3-venv python3-apt git openssh-client"

missing=
for package in $packages; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Not installed, and not root: the tests that need them will say that they are skipped:$missing" >&2
    exit 0
fi

# Debian's nginx, Redis, Memcached and PostgreSQL start as they are installed, unless a policy says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
