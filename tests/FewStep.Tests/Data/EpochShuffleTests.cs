using FewStep.Data;

namespace FewStep.Tests.Data;

public sealed class EpochShuffleTests
{
    [Fact]
    public void Every_epoch_is_a_permutation_and_epochs_differ()
    {
        var shuffle = new EpochShuffle(100, seed: 7);
        int[] first = [.. Enumerable.Range(0, 100).Select(i => shuffle[i])], second =
            [.. Enumerable.Range(100, 100).Select(i => shuffle[i])];
        Assert.Equal(Enumerable.Range(0, 100), first.Order());
        Assert.Equal(Enumerable.Range(0, 100), second.Order());
        Assert.NotEqual(first, second);
        Assert.NotEqual(first, Enumerable.Range(0, 100).Select(i => new EpochShuffle(100, 8)[i]));
    }

    [Fact]
    public void Any_position_can_be_asked_for()
    {
        var inOrder = new EpochShuffle(10, 3);
        int[] order = [.. Enumerable.Range(0, 50).Select(i => inOrder[i])];
        var jumping = new EpochShuffle(10, 3);
        Assert.All([49, 0, 25, 3, 41], i => Assert.Equal(order[i], jumping[i]));
    }
}
