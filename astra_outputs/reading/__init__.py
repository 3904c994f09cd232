"""What is stored, read back: by key, by what is left to do, by how a result came to be."""
