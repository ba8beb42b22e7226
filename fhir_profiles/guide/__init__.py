"""The guide: static pages to browse, made of the FHIR package alone, so that they can say nothing that it does not."""
