#!/bin/sh
# Checks the contradiction in this folder with a shell and openssl alone (C2SP signed-note, RFC 6962
# section 2.1, RFC 9162 sections 2.1.3.2 and 2.1.4.2). Give it the verifier keys of the log, from
# somebody you trust, not from this folder:
#
#     sh check.sh 'log.example+0123abcd+AQID...' [another key...]
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "NOT PROVEN: $1" >&2; exit 1; }
line() { sed -n "$2p" "$1"; }

# node LEFT RIGHT: the hash over two hashes, in base 64 as everything here.
node() {
    { printf '\001'; printf %s "$1" | openssl base64 -d -A; printf %s "$2" | openssl base64 -d -A; } |
        openssl dgst -sha256 -binary | openssl base64 -A
}

leaf() { { printf '\000'; cat "$1"; } | openssl dgst -sha256 -binary | openssl base64 -A; }

# verified CHECKPOINT KEY...: the three lines are signed by one of the keys, and of its log.
verified() {
    note=$1
    shift
    head -n 3 "$note" >"$work/text"
    for vkey in "$@"; do
        name=${vkey%%+*}
        [ "$(line "$note" 1)" = "$name" ] || continue
        # An Ed25519 public key in DER, RFC 8410: twelve octets of prefix, then the key.
        {
            printf '\060\052\060\005\006\003\053\145\160\003\041\000'
            printf %s "$vkey" | cut -d+ -f3- | openssl base64 -d -A | tail -c 32
        } >"$work/key.der"
        sed '1,/^$/d' "$note" | while read -r dash signer signature; do
            [ "$dash $signer" = "— $name" ] || continue
            printf %s "$signature" | openssl base64 -d -A | tail -c +5 >"$work/signature"
            if openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin \
                -in "$work/text" -sigfile "$work/signature" >/dev/null 2>&1; then
                echo yes
            fi
        done >"$work/verdict"
        if [ -s "$work/verdict" ]; then return 0; fi
    done
    fail "$note is not signed by a key you gave"
}

# halve: one level up; skip: the same past a right edge, which has no sibling.
halve() { fn=$((fn / 2)) sn=$((sn / 2)); }
skip() { while [ $((fn % 2)) = 0 ] && [ "$fn" != 0 ]; do halve; done; }

# included FILE: the leaf of FILE.leaf stands under the checkpoint of a tlog-proof.
included() {
    sed '1,/^$/d' "$1" >"$work/checkpoint"
    shift_keys=$2
    eval "verified \"\$work/checkpoint\" $shift_keys"
    index=$(sed -n 's/^index //p' "$1" | head -n 1)
    size=$(line "$work/checkpoint" 2)
    [ "$index" -lt "$size" ] || fail "the index lies outside the tree"
    fn=$index sn=$((size - 1)) reached=$3
    sed -n '/^index /,/^$/p' "$1" | sed '1d;$d' >"$work/hashes"
    while read -r sibling; do
        [ "$sn" != 0 ] || fail "the proof is too long"
        if [ $((fn % 2)) = 1 ] || [ "$fn" = "$sn" ]; then
            reached=$(node "$sibling" "$reached")
            skip
        else
            reached=$(node "$reached" "$sibling")
        fi
        halve
    done <"$work/hashes"
    [ "$sn" = 0 ] || fail "the proof is too short"
    [ "$reached" = "$(line "$work/checkpoint" 3)" ] || fail "the proof leads to another root"
}

# extends ROOT OLD-SIZE CHECKPOINT HASHES: the tree of the checkpoint begins with that root.
extends() {
    fn=$(($2 - 1)) sn=$(($(line "$3" 2) - 1))
    while [ $((fn % 2)) = 1 ]; do halve; done
    cp "$4" "$work/hashes"
    if [ "$fn" = 0 ]; then { echo "$1"; cat "$4"; } >"$work/hashes"; fi
    older=$(line "$work/hashes" 1) newer=$older
    sed 1d "$work/hashes" >"$work/rest"
    while read -r sibling; do
        [ "$sn" != 0 ] || fail "the proof is too long"
        if [ $((fn % 2)) = 1 ] || [ "$fn" = "$sn" ]; then
            older=$(node "$sibling" "$older") newer=$(node "$sibling" "$newer")
            skip
        else
            newer=$(node "$newer" "$sibling")
        fi
        halve
    done <"$work/rest"
    [ "$sn" = 0 ] || fail "the proof is too short"
    [ "$older" = "$1" ] || fail "the proof is not about that root"
    [ "$newer" = "$(line "$3" 3)" ] || fail "the proof leads to another root"
}

[ $# -gt 0 ] || fail "give the log's verifier key"
quoted=
for key in "$@"; do
    case $key in *[!A-Za-z0-9+/=._:-]*) fail "$key is no verifier key" ;; esac
    quoted="$quoted '$key'"
done

case $(cat claim) in
fork)
    verified one.checkpoint "$@"
    verified other.checkpoint "$@"
    [ "$(line one.checkpoint 2)" = "$(line other.checkpoint 2)" ] || fail "the sizes differ"
    [ "$(line one.checkpoint 3)" != "$(line other.checkpoint 3)" ] || fail "the roots are the same"
    ;;
rewritten)
    verified old.checkpoint "$@"
    verified new.checkpoint "$@"
    [ "$(line old.checkpoint 2)" -lt "$(line new.checkpoint 2)" ] || fail "the old one is larger"
    beginning=$(line beginning 1)
    sed 1d beginning >"$work/proof"
    extends "$beginning" "$(line old.checkpoint 2)" new.checkpoint "$work/proof"
    [ "$beginning" != "$(line old.checkpoint 3)" ] || fail "the new tree begins with the old one"
    ;;
repeated-event)
    included first.tlog-proof "$quoted" "$(leaf first.entry)"
    included second.tlog-proof "$quoted" "$(leaf second.entry)"
    [ "$(sed -n 's/^index //p' first.tlog-proof)" != "$(sed -n 's/^index //p' second.tlog-proof)" ] ||
        fail "it is one and the same entry"
    one=$(sed 's/.*,"event_id":"\([^"]*\)".*/\1/' first.entry)
    [ "$one" = "$(sed 's/.*,"event_id":"\([^"]*\)".*/\1/' second.entry)" ] || fail "two events"
    ;;
altered-entry)
    included tree.tlog-proof "$quoted" "$(cat tree.leaf)"
    [ "$(leaf served.entry)" != "$(cat tree.leaf)" ] || fail "what was served is what was signed"
    ;;
no-entry)
    included signed.tlog-proof "$quoted" "$(leaf signed.entry)"
    echo "Signed: the bytes in signed.entry. Compare them with docs/audit-log.md, Entries."
    ;;
*) fail "the claim is unknown" ;;
esac
echo "PROVEN: $(cat claim)"
