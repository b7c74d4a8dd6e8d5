# Debian packages. Nothing is asked of the network or of sudo when all of them are there.

package_lines() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$1"; }

# The lines of the list none of whose packages is installed.
missing_packages() {
    local list="$1" installed line name found
    # dpkg-query fails when it does not know one of the names; what it says of the others counts.
    installed=" $(package_lines "$list" | tr '|' '\n' |
        { xargs dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null || true; } |
        awk '$2 == "installed" { printf "%s ", $1 }') "
    for line in $(package_lines "$list"); do
        found=no
        for name in ${line//|/ }; do
            if [[ $installed == *" $name "* ]]; then found=yes; fi
        done
        if [[ $found == no ]]; then echo "$line"; fi
    done
}

# Sets as_root to the words that run a command as root.
find_root() {
    as_root=()
    if [[ $(id -u) -eq 0 ]]; then return; fi
    command -v sudo >/dev/null ||
        fail "These Debian packages are missing and only root may install them, but there is no sudo here: $*. Run './dev packages' once as root."
    if [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; then
        fail "These Debian packages are missing and sudo asks for a password, but there is no terminal to ask on: $*. Run './dev packages' once in a terminal."
    fi
    as_root=(sudo)
}

install_packages() {
    local list="$1" missing chosen=() line name found
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        fail "./dev installs packages with apt-get and this system has none; it is made for Debian 12 and Ubuntu 24.04."
    found=$(missing_packages "$list") || fail "dpkg-query could not say which packages are installed."
    if [[ -z $found ]]; then return; fi
    mapfile -t missing <<<"$found"
    find_root "${missing[@]}"
    say "Installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq ||
        fail "apt-get could not read its package lists; its own message is above (is the network reachable?)."
    for line in "${missing[@]}"; do
        for name in ${line//|/ }; do
            if apt-cache show "$name" >/dev/null 2>&1; then
                chosen+=("$name")
                continue 2
            fi
        done
        fail "This distribution has no package $line; ./dev is made for Debian 12 and Ubuntu 24.04."
    done
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet \
        --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "${chosen[@]}" >&2 ||
        fail "apt-get could not install ${chosen[*]}; its own message is above."
}

setup_packages() { install_packages "$root/resources/setup/debian-packages.txt"; }
setup_lint_packages() { install_packages "$root/resources/setup/debian-packages-lint.txt"; }
