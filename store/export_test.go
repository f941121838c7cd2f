package store

// SetBlockSize makes the blocks of documents small enough for tests.
func (s *Store) SetBlockSize(n int) { s.blockSize = n }

// Compressed is how many compressed blocks are kept.
func (s *Store) Compressed() int {
	s.blocks.CleanUp()
	return s.blocks.EstimatedSize()
}

// Documents is how many rendered documents are kept.
func (s *Store) Documents() int {
	s.documents.CleanUp()
	return s.documents.EstimatedSize()
}
