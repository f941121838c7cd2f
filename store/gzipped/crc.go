package gzipped

import "hash/crc32"

// combine returns the CRC-32 of a and b one after the other, from the CRC-32 of each and the length of b.
//
// A CRC is a remainder of polynomials over GF(2), bits reversed; putting n bytes behind a multiplies it by x^8n. The method is zlib's
// (crc32_combine): some hundred steps whatever n.
func combine(a, b uint32, n int64) uint32 { return multiply(power(8*uint64(n)), a) ^ b }

// In a reversed polynomial the highest bit is x^0.
const one, x = uint32(1) << 31, uint32(1) << 30

// multiply returns a times b modulo the polynomial of CRC-32.
func multiply(a, b uint32) (product uint32) {
	for bit := one; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		// b times x
		if b&1 != 0 {
			b = b>>1 ^ crc32.IEEE
		} else {
			b >>= 1
		}
	}
	return product
}

// power returns x^n modulo the polynomial.
func power(n uint64) uint32 {
	result, square := one, x
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, square)
		}
		square = multiply(square, square)
	}
	return result
}
