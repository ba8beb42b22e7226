"""Who reads what: the client chooses it for each part of their record, and says it again whenever they like."""
