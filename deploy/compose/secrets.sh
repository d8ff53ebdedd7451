#!/bin/sh
#
# Makes the secrets of docker-compose.yml, those that are missing: files in a volume, each for the
# user who reads it. Symbolon's images run as 10001.

set -eu
umask 077
cd /run/symbolon
chmod 755 .

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# keep NAME USER TEXT: writes TEXT into a file for USER alone, unless there is one.
keep() {
  if [ -s "$1" ]; then
    echo "$1: kept"
    return
  fi
  printf '%s\n' "$3" >"$1.new"
  chmod 400 "$1.new"
  chown "$2" "$1.new"
  mv "$1.new" "$1"
  echo "$1: made"
}

keep postgres_password postgres "$(random)"
keep database_url 10001 "postgres://symbolon:$(cat postgres_password)@postgres/symbolon"
keep jwt_secret 10001 "$(random)"
keep introspection_clients 10001 "rooms:$(random)"
