"""Tables of other libraries as rows: read, checked column by column, and stored without records."""
