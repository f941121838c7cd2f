package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are the suffixes of a size, larger before smaller where they are shown.
var units = []struct {
	suffix string
	bytes  int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// size is a number of bytes.
func size(field func(*Config) *int64, least, most int64) kind {
	return scalarKind("size", field, func(s setting, text string) (int64, error) {
		n, ok := parseSize(text)
		if !ok {
			return 0, s.must("a size such as 512MiB, 200MB or 1048576 (bytes)", text)
		}
		if n < least || n > most {
			return 0, s.must(fmt.Sprintf("a size from %s to %s", formatSize(least), formatSize(most)), text)
		}
		return n, nil
	}, formatSize)
}

// parseSize reads a whole number and a unit. One letter alone (512M) is refused: it means 1000s to some
// tools and 1024s to others.
func parseSize(text string) (int64, bool) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	suffix := strings.TrimSpace(text[len(digits):])
	unit := int64(0)
	if suffix == "" {
		unit = 1
	}
	for _, u := range units {
		if strings.EqualFold(u.suffix, suffix) {
			unit = u.bytes
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || unit == 0 || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}

// formatSize writes a size with the largest unit that divides it, 1024s before 1000s.
func formatSize(n int64) string {
	for _, u := range units {
		if n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return "0B"
}
