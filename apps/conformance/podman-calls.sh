#!/usr/bin/env bash
# What podman's API tests ask of the program "podman" to prepare their objects, said to the engine under test with the docker
# CLI. Options that only podman has are left out or translated; a command that has no counterpart fails.
[ "$1" = --root ] && shift 2
verb=$1
shift
case "$verb" in
container | image) # `podman container rm`, `podman image build`: docker has the same short forms
  verb=$1
  shift
  ;;
esac

name=
args=()
all=
while [ $# -gt 0 ]; do
  case "$1" in
  --replace) replace=1 ;;
  --name=*)
    name=${1#--name=}
    args+=("$1")
    ;;
  --name)
    name=$2
    args+=("$1" "$2")
    shift
    ;;
  -a | --all) all=1 ;;
  -af | -fa)
    all=1
    args+=(-f)
    ;;
  -t0) [ "$verb" = rm ] || args+=(-t 0) ;;
  -t) if [ "$verb" = rm ]; then shift; else args+=("$1"); fi ;;
  -i | --ignore) case "$verb" in rm | stop) ;; *) args+=("$1") ;; esac ;;
  --disable-dns | --tls-verify=*) ;;
  *) args+=("$1") ;;
  esac
  shift
done
[ -z "$replace" ] || [ -z "$name" ] || docker rm -f "$name"

case "$verb" in
pull) # an image that is there is not asked for again: there may be no registry
  image=${args[-1]}
  docker image inspect "$image" || exec docker pull "${args[@]}"
  ;;
exists) exec docker image inspect "${args[@]}" ;;
untag) exec docker rmi --no-prune "${args[@]}" ;;
rm | rmi)
  if [ -n "$all" ]; then
    list=(docker ps -aq)
    # The suite's own images stay: they came without a registry.
    [ "$verb" = rm ] || list=(docker images -q --filter dangling=true)
    "${list[@]}" | sort -u | xargs -r docker "$verb" -f
    exit 0
  fi
  exec docker "$verb" "${args[@]}"
  ;;
*) exec docker "$verb" ${all:+-a} "${args[@]}" ;;
esac
