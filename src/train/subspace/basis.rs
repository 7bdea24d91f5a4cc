//! Orthonormal coordinates of a subspace, and the step in it.

use super::to_f32;

/// Products of the three directions with each other: w·w, w·g, w·d, g·g, g·d, d·d.
pub(super) type Gram = [f64; 6];
/// A basis vector as coefficients of the three directions.
pub(super) type Direction = [f64; 3];

/// Below this a direction is nothing.
pub(super) const TINY: f64 = 1e-7;

/// Gram-Schmidt in the space of coefficients; directions that add nothing are left out.
pub(super) fn orthonormal([ww, wg, wd, gg, gd, dd]: &Gram) -> Vec<Direction> {
    let gram = [[*ww, *wg, *wd], [*wg, *gg, *gd], [*wd, *gd, *dd]];
    let dot = |a: &Direction, b: &Direction| -> f64 {
        gram.iter().zip(a).map(|(row, a)| a * row.iter().zip(b).map(|(cell, b)| cell * b).sum::<f64>()).sum()
    };
    let mut basis: Vec<Direction> = vec![];
    for mut direction in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
        let before = dot(&direction, &direction).max(0.0).sqrt();
        if before < TINY {
            continue;
        }
        for _ in 0..2 {
            for known in &basis {
                let part = dot(&direction, known);
                for (cell, known) in direction.iter_mut().zip(known) {
                    *cell -= part * known;
                }
            }
        }
        let norm = dot(&direction, &direction).max(0.0).sqrt();
        if norm > 1e-5 * before && norm > TINY {
            basis.push(direction.map(|cell| cell / norm));
        }
    }
    basis
}

/// Moves `now` to its combination with the move and the gradient, and notes the move.
pub(super) fn advance(now: &mut [f32], moved: &mut [f32], gradient: &[f32], keep: &[Direction]) {
    let lanes = keep.len().max(1);
    for ((now, moved), gradient) in
        now.chunks_exact_mut(lanes).zip(moved.chunks_exact_mut(lanes)).zip(gradient.chunks_exact(lanes))
    {
        for (((now, moved), gradient), [of_now, of_gradient, of_moved]) in
            now.iter_mut().zip(moved).zip(gradient).zip(keep)
        {
            let new =
                of_now * f64::from(*now) + of_gradient * f64::from(*gradient) + of_moved * f64::from(*moved);
            *moved = to_f32(new - f64::from(*now));
            *now = to_f32(new);
        }
    }
}
