using FewStep.Tests.Cli;

namespace FewStep.Tests.Data;

public sealed class ImagesTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public void Splits_are_opened_when_they_are_asked_for_and_are_the_same_ever_after()
    {
        using var images = Images.Open(world.Data);
        Assert.Equal("data", images.Name);
        Assert.Same(images.Train, images.Train);
        Assert.Equal((60, 60), (images.Train.Count, images.Test.Count));
        Assert.NotEqual(images.Train.Hash, images.Test.Hash);
    }

    [Fact]
    public void Without_splits_all_is_to_train_on_and_nothing_to_test()
    {
        using var images = Images.Open(Path.Combine(world.Data, "t10k-images-idx3-ubyte.gz"));
        Assert.Equal(60, images.Train.Count);
        Assert.Contains("has no test split", Assert.Throws<InvalidInputException>(() => images.Test).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_refused_at_once() => Assert.Contains("There are no images at",
        Assert.Throws<InvalidInputException>(() => Images.Open(world.At("nothing"))).Message, StringComparison.Ordinal);
}
