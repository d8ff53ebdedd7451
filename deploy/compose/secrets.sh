#!/bin/sh
#
# Makes the secrets of docker-compose.yml, those that are missing: files in a volume, each for the
# user who reads it. Symbolon runs as 10001.

set -eu
umask 077
cd /run/symbolon
chmod 755 .

# Sets `secret` to 64 random digits.
random() {
  secret=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  [ "${#secret}" = 64 ]
}

# keep NAME USER TEXT: writes TEXT into a file for USER alone, unless there is one.
keep() {
  if [ -s "$1" ]; then
    echo "$1: kept"
    return
  fi
  # One that was killed may have left it, as somebody else's.
  rm -f "$1.new"
  printf '%s\n' "$3" >"$1.new"
  chmod 400 "$1.new"
  chown "$2" "$1.new"
  mv "$1.new" "$1"
  echo "$1: made"
}

random; keep postgres_password postgres "$secret"
keep database_url 10001 "postgres://symbolon:$(cat postgres_password)@postgres/symbolon"
random; keep jwt_secret 10001 "$secret"
random; keep introspection_clients 10001 "rooms:$secret"
# The example service is another user: it verifies tokens and introspects, and reads no database.
keep rooms_jwt_secret 10002 "$(cat jwt_secret)"
keep rooms_introspection_client 10002 "$(cat introspection_clients)"
