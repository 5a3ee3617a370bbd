"""Largest singular values with a gradient that is finite everywhere: the singular vector is found first, then held fixed."""

import torch
from jaxtyping import Float
from torch import Tensor

EXACT = 1024  # rows and columns up to which Gram matrices are squared: LAPACK's eigh and svd give up on some of a batch's block patterns
RESIDUAL = 1e-6  # relative to the singular value: where the iterations stop
LOOK = 8  # Lanczos steps between looks at the residual
SQUARINGS = 16  # powers up to 2^16: singular values closer than that are a tie


def largest_singular(matrix: Float[Tensor, "m n"]) -> Float[Tensor, ""]:
    """Largest singular value |A v|, with the right singular vector v held fixed: the gradient is the outer product of the singular pair.

    At a tie any vector of the top space serves (a sub-gradient); a zero or empty matrix has value and gradient 0; where an entry is
    not finite, value and gradient are NaN, for the loop to stop at. Above 1,024 rows or columns v is found by Lanczos iterations.
    """
    if not matrix.numel():
        return matrix.sum()
    if not bool(torch.isfinite(matrix).all()):
        return matrix.sum() * torch.nan
    fixed = matrix.detach()
    v = top_vectors(fixed) if max(fixed.shape) <= EXACT else lanczos(fixed)
    return torch.linalg.vector_norm(matrix @ v)


def lanczos(matrix: Float[Tensor, "m n"]) -> Float[Tensor, "n"]:
    """Top right singular vector by Golub-Kahan bidiagonalisation, every new direction made orthogonal to all before.

    Golub and Kahan, SIAM J. Numer. Anal. 1965. It stops where |A'u - sigma v| <= 1e-6 sigma; the start vector is fixed.
    """
    columns = matrix.shape[1]
    start = 1 + torch.arange(columns, dtype=matrix.dtype, device=matrix.device).cos() / 2
    right, left = (start / start.norm())[:, None], matrix.new_zeros(len(matrix), 0)
    diagonal, above = matrix.new_zeros(0), matrix.new_zeros(0)
    for step in range(1, min(matrix.shape) + 1):
        u = _against(matrix @ right[:, -1], left)
        diagonal, left = torch.cat([diagonal, u.norm()[None]]), torch.cat([left, _unit(u)[:, None]], 1)
        w = _against(matrix.T @ left[:, -1], right)
        beta = w.norm()
        closed = bool(beta <= RESIDUAL * diagonal.max()) or step == min(matrix.shape)
        if step % LOOK == 0 or closed:
            p, sigma, q = torch.linalg.svd((diagonal.diag() + above.diag(1)).double())
            if closed or beta * p[-1, 0].abs() <= RESIDUAL * sigma[0]:
                break
        above, right = torch.cat([above, beta[None]]), torch.cat([right, _unit(w)[:, None]], 1)
    return _unit(right @ q[0].to(matrix.dtype))


def top_vectors(matrices: Float[Tensor, "*b m n"]) -> Float[Tensor, "*b n"]:
    """Top right singular vectors, without gradient: Gram matrices are squared until one direction is left; nothing can fail to converge.

    At a tie it is a vector of the top space; a zero matrix gets the zero vector, one that is not finite gets NaN.
    """
    with torch.no_grad():
        tiny = torch.finfo(matrices.dtype).tiny
        scaled = matrices / matrices.abs().amax((-2, -1), keepdim=True).clamp(min=tiny)  # squares of small numbers are zero
        power = scaled.mT @ scaled
        for _ in range(SQUARINGS):
            power = power / torch.linalg.matrix_norm(power, keepdim=True).clamp(min=tiny)
            if not bool((power.diagonal(dim1=-2, dim2=-1).sum(-1) > 1 + RESIDUAL).any()):  # rank one: trace and Frobenius norm agree
                break
            power = power @ power
        place = power.diagonal(dim1=-2, dim2=-1).argmax(-1)[..., None, None].expand(*power.shape[:-1], 1)
        return _unit(power.gather(-1, place)[..., 0])


def _unit(vector: Float[Tensor, "*b n"]) -> Float[Tensor, "*b n"]:
    """Rows of unit length; zero stays zero."""
    return vector / torch.linalg.vector_norm(vector, dim=-1, keepdim=True).clamp(min=torch.finfo(vector.dtype).tiny)


def _against(vector: Float[Tensor, "n"], basis: Float[Tensor, "n k"]) -> Float[Tensor, "n"]:
    """What is left of a vector after two projections on the complement of a basis: once is not enough in float32."""
    for _ in range(2):
        vector = vector - basis @ (basis.T @ vector)
    return vector
