#!/bin/sh
# Makes the two databases, each with a user of its own that is no superuser. The image of PostgreSQL runs it once, when
# its volume is empty; elsewhere run it as postgres, with SECRETS naming the folder of the passwords.
set -eu
secrets=${SECRETS:-/run/secrets}
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set verstel="$(cat "$secrets/verstel_database_password")" --set hapi="$(cat "$secrets/hapi_database_password")" <<'SQL'
CREATE ROLE verstel LOGIN PASSWORD :'verstel';
CREATE DATABASE verstel OWNER verstel;
REVOKE ALL ON DATABASE verstel FROM PUBLIC;
CREATE ROLE hapi LOGIN PASSWORD :'hapi';
CREATE DATABASE hapi OWNER hapi;
REVOKE ALL ON DATABASE hapi FROM PUBLIC;
SQL
