#!/bin/sh
# Makes ./site: all that a place has of its own, for compose, systemd and Kubernetes. Nothing that is there is replaced,
# so it can be run again. Keys are made by Verstel itself; say how it is called here where it is not on the path.
#   VERSTEL="docker run --rm verstel" sh prepare.sh verstel.example.org [HOST OF POSTGRESQL, db when left out]
set -eu
host=${1:?"Say under which host name people reach Verstel: sh prepare.sh verstel.example.org"}
database=${2:-db}
cd "$(dirname "$0")"
umask 077
mkdir -p site/secrets

# new FILE COMMAND…: writes what a command prints into a new secret.
new() {
  file=site/secrets/$1
  shift
  [ -e "$file" ] || { "$@" >"$file.new" && mv "$file.new" "$file"; }
}
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
# On another machine PostgreSQL proves who it is by a certificate; `db` is beside the app, in compose.
database_url() {
  case $database in
    db | localhost) proof= ;;
    *) proof='?sslmode=verify-full&sslrootcert=system' ;;
  esac
  printf 'postgresql+psycopg://verstel:%s@%s/verstel%s\n' "$(cat site/secrets/verstel_database_password)" "$database" "$proof"
}

# Not quoted: it is a command with its words.
new secret_keys ${VERSTEL:-verstel} keys new secret
new encryption_keys ${VERSTEL:-verstel} keys new encryption
new signing_keys ${VERSTEL:-verstel} keys new signing
new postgres_password password
new verstel_database_password password
new hapi_database_password password
new database_url database_url
# In a container each secret is a file of its own, read by a user that is known there only. The folder keeps others out.
chmod 444 site/secrets/*

[ -e site/issuers.toml ] || cp ../../issuers.example.toml site/issuers.toml
[ -e site/application.yaml ] || cp application.example.yaml site/application.yaml
[ -e site/verstel.env ] || cat >site/verstel.env <<ENV
# Settings that are no secret, one NAME=value a line, without quotes: Kubernetes would take those as part of the value.
# .env.example has them all, with what each is for.
VERSTEL_PUBLIC_URL=https://$host
ENV
[ -e .env ] || printf 'HOST_NAME=%s\n' "$host" >.env
chmod 644 site/issuers.toml site/application.yaml

# What was there before stays, and is what counts.
there() { grep -qF "$2" "$1" || printf '%s\n' "$1 was there already and does not say $2. Change it there." >&2; }
there .env "HOST_NAME=$host"
there site/verstel.env "VERSTEL_PUBLIC_URL=https://$host"
there site/secrets/database_url "@$database/"
public=$(sed -n 's/^VERSTEL_PUBLIC_URL=//p' site/verstel.env)

cat <<TEXT
Made, in site/. Next:
1. Write your EHR into site/issuers.toml, and register Verstel there:
     launch address    $public/launch
     redirect address  $public/callback
     public keys       $public/.well-known/jwks.json
2. Go on where docs/deploy/README.md says how you run it.
Keep a copy of site/secrets/encryption_keys apart from the backups of the database: without it they can't be read.
TEXT
