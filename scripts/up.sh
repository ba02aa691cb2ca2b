#!/bin/sh
# Sets up what is missing, then runs the demo or the tests:
#
#   sh scripts/up.sh demo [arguments of the demo]
#   sh scripts/up.sh test [arguments of deno test]
#   sh scripts/up.sh --install-only demo|test
#
# Missing may be: Deno; a WebGPU adapter (Mesa's Vulkan driver for the CPU); for the tests, Chromium. What is there
# stays as it is. Each step is announced before it is taken.
set -u

DENO_RANGE="^2.9.0" # what npm is asked for
DENO_MAJOR=2 # the oldest Deno that works: text imports need no flag
DENO_MINOR=9
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
system=$(uname -s)
apt_is_fresh=no

say() { printf '%s\n' "up.sh: $*"; }
die() { printf '%s\n' "up.sh: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

usage() {
  say "Usage: sh scripts/up.sh [--install-only] demo|test [arguments]"
  exit "$1"
}

# --- becoming root ---

# Succeeds if apt can be used: as root, or with a sudo that needs no password or can ask for one.
can_use_apt() {
  has apt-get || return 1
  [ "$(id -u)" = 0 ] && return 0
  has sudo || return 1
  [ -t 0 ] || sudo -n true 2>/dev/null
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs Debian packages; the list of packages is brought up to date once, before the first.
apt_install() {
  if [ "$apt_is_fresh" = no ]; then
    as_root apt-get update -q || return 1
    apt_is_fresh=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# --- Deno ---

# Succeeds if `$1` is a Deno that is new enough.
is_new_enough() {
  version=$("$1" --version 2>/dev/null | sed -n 's/^deno \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ -n "$version" ] || return 1
  major=${version% *}
  minor=${version#* }
  [ "$major" -gt "$DENO_MAJOR" ] || { [ "$major" -eq "$DENO_MAJOR" ] && [ "$minor" -ge "$DENO_MINOR" ]; }
}

# Puts the first new enough Deno in front of PATH.
find_deno() {
  for deno in "$(command -v deno)" "$HOME/.local/bin/deno" "$HOME/.deno/bin/deno" "$root/.cache/tools/bin/deno"; do
    if [ -n "$deno" ] && is_new_enough "$deno"; then
      PATH=$(dirname "$deno"):$PATH
      export PATH
      return 0
    fi
  done
  return 1
}

install_deno_by_npm() {
  if has deno; then
    # An older Deno stays as it is: ours goes beside it, into the project.
    prefix=$root/.cache/tools
  elif [ -w "$(npm prefix -g 2>/dev/null)/lib" ]; then
    prefix=$(npm prefix -g)
  else
    prefix=$HOME/.local
  fi
  say "Installing Deno from its npm package into $prefix"
  npm install -g --loglevel=error --prefix "$prefix" "deno@$DENO_RANGE" || return 1
  PATH=$prefix/bin:$PATH
  export PATH
}

install_deno_by_installer() {
  script=$(mktemp) || return 1
  say "Asking for Deno's own installer (https://deno.land/install.sh)"
  if curl -fsSL --connect-timeout 10 --max-time 60 -o "$script" https://deno.land/install.sh; then
    say "Installing Deno into $HOME/.deno"
    sh "$script" -y --no-modify-path
  fi
  rm -f "$script"
  find_deno
}

install_deno() {
  found=$(deno --version 2>/dev/null | head -n 1)
  say "Deno $DENO_MAJOR.$DENO_MINOR or newer is needed: ${found:-none} found"
  if has npm && install_deno_by_npm && find_deno; then return 0; fi
  # The installer needs unzip or 7z, and would replace an older Deno that it once installed.
  if ! has deno && has curl && { has unzip || has 7z; } && install_deno_by_installer; then return 0; fi
  if ! has npm && can_use_apt; then
    say "Installing npm with apt-get, to bring Deno"
    apt_install nodejs npm && install_deno_by_npm && find_deno && return 0
  fi
  die "Cannot install Deno: install $DENO_MAJOR.$DENO_MINOR or newer (https://docs.deno.com/runtime) and run this again"
}

# --- the WebGPU adapter ---

has_adapter() {
  deno eval --no-config 'Deno.exit(await navigator.gpu?.requestAdapter() ? 0 : 1)' >/dev/null 2>&1
}

install_adapter() {
  none="No WebGPU adapter found"
  [ "$system" = Linux ] || die "$none: update the graphics driver and run this again"
  can_use_apt || die "$none, and apt-get cannot be used: install a Vulkan driver (Debian's mesa-vulkan-drivers and" \
    "libvulkan1, or the graphics card's own) and run this again"
  say "$none: installing Mesa's Vulkan driver for the CPU and the Vulkan loader with apt-get"
  apt_install libvulkan1 mesa-vulkan-drivers || die "Cannot install Mesa's Vulkan driver: apt-get failed, see above"
  has_adapter || die "$none, though Mesa's Vulkan driver is installed: vulkaninfo (in vulkan-tools) tells why"
}

# --- Chromium, for the browser tests ---

has_chromium() {
  has chromium || has chromium-browser || has google-chrome
}

# Never fatal: without a browser the browser tests are skipped and say so.
install_chromium() {
  if ! can_use_apt; then
    say "Chromium is not here and apt-get cannot be used: the browser tests will be skipped"
    return 0
  fi
  say "Installing Chromium with apt-get, for the browser tests"
  apt_install chromium || say "apt-get cannot bring Chromium here: the browser tests will be skipped"
}

# --- the environment ---

prepare_environment() {
  if [ "$system" = Linux ]; then
    DENO_WEBGPU_BACKEND=${DENO_WEBGPU_BACKEND:-vulkan}
    export DENO_WEBGPU_BACKEND
  fi
  if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$root/.cache/runtime
    mkdir -p "$XDG_RUNTIME_DIR" && chmod 700 "$XDG_RUNTIME_DIR" || die "Cannot make the folder $XDG_RUNTIME_DIR"
    export XDG_RUNTIME_DIR
  fi
  if [ -z "${MESA_SHADER_CACHE_DIR:-}" ]; then
    MESA_SHADER_CACHE_DIR=$root/.cache/mesa
    mkdir -p "$MESA_SHADER_CACHE_DIR" || die "Cannot make the folder $MESA_SHADER_CACHE_DIR"
    export MESA_SHADER_CACHE_DIR
  fi
}

install_only=no
case "${1:-}" in
  --install-only)
    install_only=yes
    shift
    ;;
  -h | --help) usage 0 ;;
esac
task=${1:-}
case "$task" in
  demo | test) shift ;;
  *) usage 2 ;;
esac

: "${HOME:=$root/.cache}"
path_before=$PATH
prepare_environment
find_deno || install_deno
has_adapter || install_adapter
if [ "$task" = test ]; then has_chromium || install_chromium; fi

deno=$(command -v deno)
if [ "$(PATH=$path_before command -v deno)" != "$deno" ]; then
  say "Deno is $deno: put $(dirname "$deno") into PATH to run deno task yourself"
fi
[ "$install_only" = no ] || exit 0
exec deno task --config "$root/deno.json" "$task" "$@"
