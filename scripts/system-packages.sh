#!/bin/sh
# Installs the system packages that sandboxes need, where it may; else says exactly what to type. Safe to run again.
# With the argument "docker": those of the Docker backend too, which the tests exercise and nothing else requires.
# With the argument "code": the simulator, compiler and interpreter that boxes of the code environments use (but for
# Java, which is large: without default-jdk-headless there are no translation tasks with Java).
# With the argument "web": Chromium without a window, for the web environments; any Chromium will do.
# With the argument "prover": Coq and its library (half a gigabyte), which the prover environments run in boxes.
set -eu

packages=""
PATH="$PATH:/usr/sbin:/sbin"
command -v bwrap >/dev/null || packages="$packages bubblewrap"
# the agent in a box is built here, statically
{ command -v cc || command -v gcc || command -v clang; } >/dev/null || packages="$packages gcc libc6-dev"
# any Docker will do; debootstrap makes its base image where no registry can be reached
case " $* " in *" docker "*) command -v dockerd >/dev/null || packages="$packages docker.io iptables debootstrap" ;; esac
case " $* " in *" code "*)
    command -v iverilog >/dev/null || packages="$packages iverilog"
    command -v gcc >/dev/null || packages="$packages gcc libc6-dev"
    command -v node >/dev/null || packages="$packages nodejs"
    # the text of memory/manuals; where dpkg leaves manuals out, it is fetched with apt at first use
    dpkg -s manpages >/dev/null 2>&1 || packages="$packages manpages" ;;
esac
case " $* " in *" prover "*) command -v coqidetop.opt >/dev/null || packages="$packages coq" ;; esac
case " $* " in *" web "*)
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
        packages="$packages chromium-headless-shell" ;;
esac
[ -z "$packages" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "agentgym: install these, or what your distribution calls them:$packages" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    echo "agentgym: not root here, so please type:  sudo apt-get install$packages" >&2
    exit 0
fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
echo "agentgym: installed$packages"
