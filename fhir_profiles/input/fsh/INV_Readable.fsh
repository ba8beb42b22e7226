Invariant: verstel-reference-display
Description: "A reference says in words what it points at: whoever can't follow it still reads something."
Severity: #error
Expression: "descendants().ofType(Reference).where(reference.exists() or identifier.exists()).all(display.exists())"

Invariant: verstel-coding-complete
Description: "A coding has a system and a code."
Severity: #error
Expression: "descendants().ofType(Coding).all(system.exists() and code.exists())"
