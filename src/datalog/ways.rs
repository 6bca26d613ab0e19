//! The ways in which a body may hold: parts joined with `,`, once for each choice among those
//! joined with `;`.

/// Each way gone on with in each of the next ones, in the order of both.
pub(super) fn joined<T: Clone>(mut ways: Vec<Vec<T>>, next: &[Vec<T>]) -> Vec<Vec<T>> {
    // Nearly always there is but one, and none of the ways needs a copy.
    if let [next] = next {
        ways.iter_mut().for_each(|way| way.extend_from_slice(next));
        return ways;
    }
    let each = |way: &Vec<T>| next.iter().map(|next| [&**way, next].concat()).collect::<Vec<_>>();
    ways.iter().flat_map(each).collect()
}
