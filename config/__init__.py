"""The configuration language: documents, models, diagnostics, endpoint strings and the plan."""
