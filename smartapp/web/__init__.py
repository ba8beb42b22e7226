"""What every request must prove and what all pages share: guards, roles, error pages, language, components."""
