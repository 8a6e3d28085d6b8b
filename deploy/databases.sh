#!/bin/bash
# Run once by PostgreSQL's image, when its volume is empty: the warehouse and Prefect's database, each with its owner.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --set cypp="$CYPP_DATABASE_PASSWORD" --set prefect="$PREFECT_DATABASE_PASSWORD" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
-- cypp upgrade --reader creates a role for each reader.
CREATE ROLE cypp LOGIN CREATEROLE PASSWORD :'cypp';
CREATE ROLE prefect LOGIN PASSWORD :'prefect';
CREATE DATABASE cypp OWNER cypp;
CREATE DATABASE prefect OWNER prefect;
REVOKE CONNECT ON DATABASE prefect FROM PUBLIC;
SQL
psql --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname prefect --command 'CREATE EXTENSION pg_trgm'
