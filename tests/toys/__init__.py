"""Small methods and data sets that use one part of the contracts each."""
