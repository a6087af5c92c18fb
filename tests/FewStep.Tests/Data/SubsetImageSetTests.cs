using FewStep.Data;

namespace FewStep.Tests.Data;

public class SubsetImageSetTests
{
    [Fact]
    public void Random_choices_keep_images_and_labels_together()
    {
        using var set = ListImageSet.Numbered(100);
        using var random = SubsetImageSet.Random(set, 30, seed: 1);
        Assert.Equal(30, Numbers(random).Distinct().Count());
        Assert.NotEqual(Enumerable.Range(0, 30), Numbers(random));
        Assert.All(Enumerable.Range(0, 30), i => Assert.Equal(Numbers(random)[i] % 7, random.Label(i)));
        Assert.Equal((7, set.Shape), (random.Classes, random.Shape));
    }

    [Fact]
    public void Random_choices_repeat_by_seed_and_do_not_overlap_by_place()
    {
        using var set = ListImageSet.Numbered(100);
        using var train = SubsetImageSet.Random(set, 60, seed: 4);
        using var heldOut = SubsetImageSet.Random(set, 40, seed: 4, skip: 60);
        using var other = SubsetImageSet.Random(set, 60, seed: 5);
        using var again = SubsetImageSet.Random(set, 60, seed: 4);
        Assert.Equal(Enumerable.Range(0, 100), Numbers(train).Concat(Numbers(heldOut)).Order());
        Assert.Equal(Numbers(train), Numbers(again));
        Assert.Equal(train.Hash, again.Hash);
        Assert.NotEqual(train.Hash, other.Hash);
        Assert.NotEqual(train.Hash, set.Hash);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(-1, 5)]
    [InlineData(5, 6)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void What_the_set_does_not_hold_is_refused(int start, int count)
    {
        using var set = ListImageSet.Numbered(10);
        Assert.Throws<InvalidInputException>(() => SubsetImageSet.Random(set, count, 0, start));
    }

    private static int[] Numbers(SubsetImageSet set)
    {
        byte[] image = new byte[set.Shape.Dimension];
        return [.. Enumerable.Range(0, set.Count).Select(i =>
        {
            set.Read(i, image);
            return (int)image[0];
        })];
    }
}
