"""CDS Hooks: the addresses at which an EHR finds our services and asks them. No page of people is here."""
