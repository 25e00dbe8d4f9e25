#!/usr/bin/env bash
# Makes the certificates of this folder anew. They are for tests alone, valid from 2020 to 2120, and protect nothing: their keys lie beside them.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

config() { # name of the authority
  cat <<EOF
[ca]
default_ca = authority
[authority]
dir = $work
database = $work/$1.index
serial = $work/$1.serial
new_certs_dir = $work
certificate = $1.pem
private_key = $work/$1.key
default_md = sha256
policy = anything
email_in_dn = yes
unique_subject = no
[anything]
C = optional
ST = optional
O = optional
CN = supplied
emailAddress = optional
OU = optional
L = optional
street = optional
DC = optional
UID = optional
serialNumber = optional
[req]
distinguished_name = name
[name]
EOF
}

authority() { # name, subject
  key "$work/$1.key"
  config "$1" >"$work/$1.cnf"
  : >"$work/$1.index"
  echo 01 >"$work/$1.serial"
  openssl req -new -config "$work/$1.cnf" -key "$work/$1.key" -subj "$2" -out "$work/$1.csr"
  printf 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n' >"$work/$1.ext"
  openssl ca -batch -notext -selfsign -config "$work/$1.cnf" -keyfile "$work/$1.key" -in "$work/$1.csr" -out "$1.pem" \
    -extfile "$work/$1.ext" -startdate 20200101000000Z -enddate 21200101000000Z
}

# The key comes first, then the certificate: one file is a key store to ZooKeeper, and both `key` and `cert` to node:tls.
certificate() { # name, authority, subject, extension
  key "$work/$1.key"
  openssl req -new -utf8 -config "$work/$2.cnf" -key "$work/$1.key" -subj "$3" -multivalue-rdn -out "$work/$1.csr"
  printf 'basicConstraints = CA:FALSE\n%s\n' "$4" >"$work/$1.ext"
  openssl ca -batch -notext -preserveDN -config "$work/$2.cnf" -in "$work/$1.csr" -out "$work/$1.pem" \
    -extfile "$work/$1.ext" -startdate 20200101000000Z -enddate 21200101000000Z
  cat "$work/$1.key" "$work/$1.pem" >"$1.pem"
}

authority ca "/O=zookernel tests/CN=authority"
authority stranger "/O=somebody else/CN=authority"
certificate server ca "/CN=server" "subjectAltName = DNS:localhost, IP:127.0.0.1"
certificate elsewhere ca "/CN=localhost" "subjectAltName = DNS:elsewhere.example"
certificate client ca "/C=XX/ST=A State/O=Test, Inc./CN=client one/emailAddress=c@example.org" "extendedKeyUsage = clientAuth"
certificate forged stranger "/CN=client one" "extendedKeyUsage = clientAuth"
certificate odd ca '/DC=org/DC=example/UID=u1/O= a, b; "c" <d> \\#e=f\+g /OU=grün/L=x+CN=one/street=1 Way/serialNumber=77/CN=odd' \
  "extendedKeyUsage = clientAuth"
