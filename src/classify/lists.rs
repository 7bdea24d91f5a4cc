//! Many short lists in one piece of memory.

/// Lists by number.
#[derive(Clone, Debug)]
pub(crate) struct Lists<T> {
    /// Where each list ends.
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { ends: vec![], items: vec![] }
    }
}

impl<T: Copy> Lists<T> {
    /// So many lists from items with the number of their list; items of a list keep their order.
    pub(crate) fn new(count: usize, mut numbered: Vec<(u32, T)>) -> Self {
        numbered.sort_by_key(|(number, _)| *number);
        let mut lists = Self::default();
        let mut rest = numbered.into_iter().peekable();
        for number in (0..).take(count) {
            while let Some((_, item)) = rest.next_if(|(of, _)| *of == number) {
                lists.push(item);
            }
            lists.end();
        }
        lists
    }

    /// One more item of the list that is being made.
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        self.items.push(item);
    }

    /// The items of the list that is being made.
    pub(crate) fn open(&mut self) -> &mut [T] {
        let from = self.ends.last().copied().unwrap_or(0);
        self.items.get_mut(from as usize..).unwrap_or_default()
    }

    /// Ends the list that is being made.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.ends.push(u32::try_from(self.items.len()).unwrap_or(u32::MAX));
    }

    /// The list with this number; empty when there is none.
    #[inline]
    pub(crate) fn of(&self, number: u32) -> &[T] {
        let end_of = |number: u32| self.ends.get(number as usize).copied();
        let from = number.checked_sub(1).and_then(end_of).unwrap_or(0);
        let end = end_of(number).unwrap_or(from);
        self.items.get(from as usize..end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_has_its_items_in_order() {
        let lists = Lists::new(4, vec![(2, 'b'), (0, 'x'), (2, 'a')]);
        let all: Vec<&[char]> = (0..5).map(|number| lists.of(number)).collect();
        assert_eq!(all, [&['x'][..], &[], &['b', 'a'], &[], &[]]);
    }
}
