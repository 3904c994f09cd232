"""What a record class is made of: columns with their types, flags, versions, and the bases of all records."""
