#!/bin/sh
# Makes the two databases, each with a user of its own that is no superuser. The image of PostgreSQL runs it once, when
# its volume is empty. Elsewhere SECRETS names the folder of the passwords, and PSQL how psql is run as a superuser:
#   PSQL="sudo -u postgres psql" SECRETS=/etc/verstel/secrets sh databases.sh
set -eu
secrets=${SECRETS:-/run/secrets}
# As a text of SQL. A password goes to psql as words that it reads, not in its command, which all of the machine may see.
password() { printf "'%s'" "$(sed "s/'/''/g" "$secrets/$1")"; }
verstel=$(password verstel_database_password)
hapi=$(password hapi_database_password)
# Not quoted: it is a command with its words.
${PSQL:-psql} --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
CREATE ROLE verstel LOGIN PASSWORD $verstel;
CREATE DATABASE verstel OWNER verstel;
REVOKE ALL ON DATABASE verstel FROM PUBLIC;
CREATE ROLE hapi LOGIN PASSWORD $hapi;
CREATE DATABASE hapi OWNER hapi;
REVOKE ALL ON DATABASE hapi FROM PUBLIC;
SQL
