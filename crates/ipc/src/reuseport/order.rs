//! The indices of a group's members, as the kernel has them.

/// Which member has which index: bookkeeping beside the kernel, which cannot be asked.
///
/// It is right as long as it is told of everything in the order in which the kernel did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order<Member> {
    members: Vec<Member>,
}

impl<Member> Default for Order<Member> {
    fn default() -> Self {
        Self { members: Vec::new() }
    }
}

impl<Member: Ord + Copy> Order<Member> {
    /// A group of nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A member has joined: it listens now, or is bound if it is UDP. It gets the next index. One that is in the group
    /// already stays where it is, as in the kernel.
    pub fn joined(&mut self, member: Member) {
        if !self.members.contains(&member) {
            self.members.push(member);
        }
    }

    /// A member has left: the last one moves into its place. False if it was not there.
    pub fn left(&mut self, member: Member) -> bool {
        let Some(index) = self.index(member) else { return false };
        self.members.swap_remove(index);
        true
    }

    /// Its index now.
    #[must_use]
    pub fn index(&self, member: Member) -> Option<usize> {
        self.members.iter().position(|it| *it == member)
    }

    /// The member that the next leaving moves, unless it is that one itself.
    #[must_use]
    pub fn last(&self) -> Option<Member> {
        self.members.last().copied()
    }

    /// Every member, by its index.
    pub fn members(&self) -> impl ExactSizeIterator<Item = Member> {
        self.members.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is in the group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(members: &[char]) -> Order<char> {
        let mut order = Order::new();
        for member in members {
            order.joined(*member);
        }
        order
    }

    #[test]
    fn the_last_member_moves_into_the_place_of_one_that_leaves() {
        let mut order = order(&['a', 'b', 'c', 'd']);
        assert!(order.left('b'));
        assert_eq!(order.members().collect::<String>(), "adc");
        assert_eq!((order.index('d'), order.index('b')), (Some(1), None));
        assert!(order.left('c'));
        assert_eq!(order.members().collect::<String>(), "ad");
    }

    #[test]
    fn one_that_comes_back_is_the_last_and_one_that_is_there_stays() {
        let mut order = order(&['a', 'b', 'c']);
        order.joined('a');
        assert_eq!(order.members().collect::<String>(), "abc");
        order.left('a');
        order.joined('a');
        assert_eq!(order.members().collect::<String>(), "cba");
    }

    #[test]
    fn who_is_not_there_cannot_leave() {
        let mut order = order(&['a']);
        assert!(!order.left('b'));
        assert_eq!(order.len(), 1);
    }
}
