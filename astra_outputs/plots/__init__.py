"""Pictures of results: drawn from columns that were read, into files or notebooks. Needs matplotlib."""
