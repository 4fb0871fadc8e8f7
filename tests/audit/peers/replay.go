// Replays a log that was exported into a folder, with Go's own packages for transparency logs and
// nothing of ours; written from docs/audit-log.md.
//
//	replay FOLDER VERIFIER-KEY [EARLIER-CHECKPOINT...]
//
// The note package checks signatures. TileHashReader checks each tile against the signed root before
// it hands out a hash of it. Here every entry is hashed and compared with its leaf, every tile of
// every level is read, and inclusion and consistency are proven and checked.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", tile.Path(), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
}

func (f folder) bundle(number int64, width int) ([][]byte, error) {
	// The numbers of bundles are spelt like those of tiles.
	path := tlog.Tile{H: height, L: 0, N: number, W: width}.Path()
	data, err := f.read(strings.Replace(path, "tile/8/0/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %d is cut short", number)
		}
		size := int(binary.BigEndian.Uint16(data))
		entries, data = append(entries, data[2:2+size]), data[2+size:]
	}
	if len(entries) != width {
		return nil, fmt.Errorf("bundle %d holds %d entries, not %d", number, len(entries), width)
	}
	return entries, nil
}

func open(raw []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("this is no checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("the root is no hash")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

func entries(log folder, tree tlog.Tree, hashes tlog.HashReader) error {
	for start := int64(0); start < tree.N; start += 256 {
		width := int(tree.N - start)
		if width > 256 {
			width = 256
		}
		bundle, err := log.bundle(start/256, width)
		if err != nil {
			return err
		}
		indexes := make([]int64, width)
		for offset := range bundle {
			indexes[offset] = tlog.StoredHashIndex(0, start+int64(offset))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for offset, entry := range bundle {
			if tlog.RecordHash(entry) != leaves[offset] {
				return fmt.Errorf("entry %d is not what the tree holds", start+int64(offset))
			}
		}
	}
	return nil
}

func upperTiles(tree tlog.Tree, hashes tlog.HashReader) error {
	for level := height; tree.N>>level > 0; level += height {
		for number := int64(0); number < tree.N>>level; number++ {
			index := tlog.StoredHashIndex(level, number)
			if _, err := hashes.ReadHashes([]int64{index}); err != nil {
				return err
			}
		}
	}
	return nil
}

func inclusion(tree tlog.Tree, hashes tlog.HashReader) error {
	for index := int64(0); index < tree.N; index += 1 + tree.N/97 {
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return err
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return err
		}
	}
	return nil
}

func consistency(tree, old tlog.Tree, hashes tlog.HashReader) error {
	if old.N > tree.N {
		return fmt.Errorf("the log is shorter than it once was")
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func replay(log folder, key string, earlier []string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tree, err
	}
	raw, err := log.read("checkpoint")
	if err != nil {
		return tree, err
	}
	if tree, err = open(raw, verifier); err != nil {
		return tree, err
	}
	hashes := tlog.TileHashReader(tree, log)
	for _, check := range []func() error{
		func() error { return entries(log, tree, hashes) },
		func() error { return upperTiles(tree, hashes) },
		func() error { return inclusion(tree, hashes) },
	} {
		if err := check(); err != nil {
			return tree, err
		}
	}
	for _, file := range earlier {
		raw, err := os.ReadFile(file)
		if err != nil {
			return tree, err
		}
		old, err := open(raw, verifier)
		if err != nil {
			return tree, err
		}
		if err := consistency(tree, old, hashes); err != nil {
			return tree, fmt.Errorf("%s: %v", file, err)
		}
	}
	return tree, nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: replay FOLDER VERIFIER-KEY [EARLIER-CHECKPOINT...]")
		os.Exit(2)
	}
	tree, err := replay(folder(os.Args[1]), os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Printf("%d entries, root %s\n", tree.N, tree.Hash)
}
