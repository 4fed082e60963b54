# What the scripts in this folder share; read by them with `.`, never run by itself.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
made=$top/target/packages
me=$(realpath --relative-to="$top" "$0")
checks=0
# Debian keeps some programs where only root's path leads.
export PATH="$PATH:/usr/sbin:/sbin"
exec </dev/null

step() { printf '\n== %s\n' "$1"; }
fail() { printf '%s: %s\n' "$me" "$1" >&2; exit 1; }
# One thing that was seen to hold.
ok() { checks=$((checks + 1)); printf 'ok  %s\n' "$1"; }
done_well() { printf '\n%s: %d checks passed in %d s.\n' "$me" "$checks" "$SECONDS"; }

# Goes on as root, if need be through sudo. What cargo builds is built before.
as_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null || fail "this needs root or sudo"
    exec sudo -n --preserve-env=SOURCE_DATE_EPOCH,DEBFULLNAME,DEBEMAIL "$top/$me" "$@"
}

# Goes on where nothing that is mounted and no port that is taken is anybody else's; all of it ends with the script.
in_own_space() {
    [ -z "${DOORWARD_OWN_SPACE:-}" ] || return 0
    DOORWARD_OWN_SPACE=yes exec unshare --mount --net --propagation private \
        sh -c 'ip link set lo up && exec "$0" "$@"' "$top/$me" "$@"
}

# A Debian 12 with nothing but what is named here, kept for the next time; each try unpacks it anew.
minimal_debian() {
    local with=ca-certificates,procps,man-db,bash-completion,sudo,systemd,systemd-sysv mirror
    packed=$made/bookworm.tar
    [ ! -s "$packed" ] || [ "$(cat "$packed.with")" != "$with" ] || return 0
    # The mirror that this machine uses.
    mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT)' 2>/dev/null |
        sed -n 's/ bookworm main$//p' | head -n 1)
    echo "Fetching a minimal Debian 12 (about two minutes, once)."
    rm -rf "$made/bookworm"
    mkdir -p "$made"
    debootstrap --variant=minbase --include="$with" bookworm "$made/bookworm" \
        "${mirror:-http://deb.debian.org/debian}" >"$made/debootstrap.log" 2>&1 ||
        fail "debootstrap failed: $(tail -n 3 "$made/debootstrap.log")"
    tar -C "$made/bookworm" --exclude='./var/cache/apt/archives/*.deb' --exclude='./dev/*' -cf "$packed.part" .
    mv "$packed.part" "$packed"
    echo "$with" >"$packed.with"
    rm -rf "$made/bookworm"
}

# That Debian, unpacked here.
unpack() {
    mkdir "$1"
    tar -C "$1" -xf "$packed"
}

# Has systemd boot what lies here, in a container; it ends with the script.
boot() {
    booted=$1
    # Names resolve nowhere and the mirror is not asked.
    local booting=(--directory="$booted" --boot --console=pipe --resolv-conf=off --timezone=off --hostname=portal)
    # Where systemd does not run outside, nobody is there to register it with.
    [ -d /run/systemd/system ] || booting+=(--register=no --keep-unit)
    systemd-nspawn "${booting[@]}" >"$work/boot.log" 2>&1 &
    container=$!
    leader=$container
    at_end halt
    wait_for 60 is_booted || fail "systemd does not boot in a container here: $(tail -n 5 "$work/boot.log")"
}
halt() {
    kill -s RTMIN+4 "$leader" 2>/dev/null || true
    wait_for 15 sh -c "! kill -0 $container 2>/dev/null" || kill -KILL "$leader" "$container" 2>/dev/null
    wait "$container" 2>/dev/null || true
    # Where nobody keeps the groups of processes, its own stay behind, empty.
    [ -d /run/systemd/system ] || rmdir /sys/fs/cgroup{,/*}/{payload/init.scope,payload,supervisor} 2>/dev/null || true
}
is_booted() {
    # shellcheck disable=SC2013
    for leader in $(cat "/proc/$container/task/$container/children"); do
        [ "$(cat "/proc/$leader/comm")" = systemd ] && inside systemctl is-active multi-user.target && return
    done
    return 1
}
inside() { nsenter --target "$leader" --mount --uts --ipc --pid --root --wd env -i \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_COLORS=no "$@"; }
journal() { inside journalctl -u doorward --no-pager --output cat; }
is_active() { [ "$(inside systemctl is-active doorward)" = active ] || fail "the service is not active: $(journal | tail -n 5)"; }

# The commands that README.md gives under a heading, as they are written; those that sudo runs.
documented() {
    sed -n "/^## $1\$/,/^## /p" "$top/packaging/README.md" | sed -n '/^```sh$/,/^```$/p' | grep '^sudo ' ||
        fail "packaging/README.md gives no command under $1"
}

# Debian packages for the programs that are missing, as `program:package`; nothing
# is asked of the network when all are there, and no service is started.
install_packages() {
    local wanted=() pair policy=/usr/sbin/policy-rc.d placed= sudo=
    for pair; do
        command -v "${pair%%:*}" >/dev/null || [ -e "${pair%%:*}" ] || wanted+=("${pair#*:}")
    done
    [ ${#wanted[@]} -gt 0 ] || return 0
    echo "Installing ${wanted[*]}."
    [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
        $sudo chmod 755 "$policy"
        placed=yes
    fi
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
    [ -z "$placed" ] || $sudo rm -f "$policy"
}

cargo_is_there() {
    # shellcheck disable=SC1091
    [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"
    command -v cargo >/dev/null || fail "cargo is not installed; README.md says which Rust is needed"
    install_packages cc:build-essential
}

# Builds the executable that uses the libraries of the machine; says where it is.
build_dynamic() {
    cargo_is_there >&2
    (cd "$top" && cargo build --release --locked) >&2
    echo "$top/target/release/doorward"
}

# What the scripts build carries the time of the newest change, so that it is the
# same whenever it is built.
pin_time() {
    if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
        SOURCE_DATE_EPOCH=$(git -C "$top" log -1 --format=%ct 2>/dev/null) ||
            SOURCE_DATE_EPOCH=$(stat -c %Y "$top/CHANGELOG.md")
    fi
    export SOURCE_DATE_EPOCH
}

version() { sed -n 's/^version = "\(.*\)"/\1/p' "$top/Cargo.toml" | head -n 1; }

# Things to do at the end, the last first, however it ends.
undo=()
at_end() { undo+=("$1"); }
clean_up() {
    local i
    for ((i = ${#undo[@]} - 1; i >= 0; i--)); do eval "${undo[i]}" || true; done
    undo=()
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# A folder that is gone at the end.
scratch() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/doorward-packaging.XXXXXX")
    chmod 755 "$work"
    at_end 'rm -rf --one-file-system "$work"'
    cookies=$work/cookies
}

# Until the command succeeds, for so many seconds at most.
wait_for() {
    local left=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# A browser without a window: cookies are kept, the form's proof is sent along.
visit() { curl --silent --show-error --max-time 30 --cookie "$cookies" --cookie-jar "$cookies" "$@"; }
submit() {
    local address=$1 proof field fields=()
    shift
    proof=$(visit "${curl[@]}" "$address" | grep -o 'name="csrf" value="[^"]*"' | head -n 1 | cut -d '"' -f 4)
    [ -n "$proof" ] || fail "there is no form at $address"
    for field; do fields+=(--data-urlencode "$field"); done
    visit "${curl[@]}" --output "$work/answer" --write-out '%{http_code} %{redirect_url}' \
        --data-urlencode "csrf=$proof" "${fields[@]}" --header "Origin: $(origin "$address")" "$address"
}
origin() { sed -E 's#^([a-z]+://[^/]+).*#\1#' <<<"$1"; }
# What curl is told besides, such as whom to believe.
curl=()

email=ingrid@haldenworks.example
password='Demo-pass-1'

# The owner opens the link, fills in the form, and signs in.
set_up() {
    local base=$1 link=$2 said
    rm -f "$cookies"
    said=$(submit "$link" "organisation=Halden Works" "name=Ingrid Halden" "email=$email" \
        "timezone=UTC" "password=$password" "password_confirmation=$password")
    [ "${said%% *}" = 303 ] || fail "the set-up was answered $said"
    sign_in "$base"
}
sign_in() {
    local said
    rm -f "$cookies"
    said=$(submit "$1/sign-in" "email=$email" "password=$password")
    [ "${said%% *}" = 303 ] || fail "the sign-in was answered $said"
    visit "${curl[@]}" "$1/" | grep -q 'Halden Works' || fail "nobody is signed in at $1"
}
