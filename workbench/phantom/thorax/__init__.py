"""The procedural engine: parametric solids in closed form, and what a clinic does with the patient."""
