using FewStep.Collectives;

namespace FewStep.Tests.Collectives;

public sealed class VectorSlicesTests
{
    [Theory]
    [InlineData(2, 10)]
    [InlineData(4, 10)]
    [InlineData(4, 3)] // a rank has nothing
    [InlineData(3, 101)] // more than goes at once
    public void Vectors_are_summed_in_the_order_of_the_ranks_and_put_together_again(int ranks, int count)
    {
        float[] expected = [];
        foreach (int rank in Enumerable.Range(0, ranks))
            expected = expected.Length == 0 ? Values(rank, count) : [.. expected.Zip(Values(rank, count), (a, b) => a + b)];
        float[][] wholes = ThreadRanks.Run(ranks, own =>
        {
            using var scope = NewDisposeScope();
            var slices = new VectorSlices(own, count, part: 30);
            var sum = slices.Sum(tensor(Values(own.Rank, count)));
            Assert.Equal(slices.Own(zeros(count)).NumberOfElements, sum.NumberOfElements);
            return slices.Whole(sum).data<float>().ToArray();
        });
        Assert.All(wholes, whole => Assert.True(whole.AsSpan().SequenceEqual(expected)));
    }

    [Fact]
    public void A_rank_alone_moves_nothing()
    {
        using var scope = NewDisposeScope();
        var slices = new VectorSlices(SingleProcess.Instance, 4);
        var vector = arange(4, dtype: ScalarType.Float32);
        Assert.Same(vector, slices.Sum(vector));
        slices.Whole(vector).fill_(1);
        Assert.Equal(4, vector.sum().item<float>());
    }

    [Fact]
    public void Batches_are_divided_by_position_and_joined_in_order()
    {
        float[][] joined = ThreadRanks.Run(3, own =>
        {
            using var scope = NewDisposeScope();
            var part = own.PartOf(8);
            Assert.Equal(new[] { (0, 2), (2, 3), (5, 3) }[own.Rank], (part.First, part.Count));
            return own.Rows(part.Of(arange(16, dtype: ScalarType.Float32).view(8, 2)), 8).data<float>().ToArray();
        });
        Assert.All(joined, rows => Assert.Equal(Enumerable.Range(0, 16).Select(i => (float)i), rows));
    }

    [Fact]
    public void Small_things_are_agreed_on()
    {
        ThreadRanks.Run(4, own =>
        {
            using var scope = NewDisposeScope();
            Assert.True(own.Any(own.Rank == 2));
            Assert.False(own.OnFirst(own.Rank == 2));
            Assert.Equal([6, 4], own.Sum(own.Rank, 1));
            Assert.Equal(2, own.Norm(ones(1)).item<float>());
            own.RequireSame("text", "something");
            return Assert.Throws<InvalidInputException>(() => own.RequireSame(own.Rank == 3 ? "other" : "text", "data")).Message;
        });
        Assert.Contains("a larger one", Assert.Throws<InvalidInputException>(
            () => ThreadRanks.Run(4, own =>
            {
                own.RequireWork(3);
                return 0;
            })).Message, StringComparison.Ordinal);
    }

    // Numbers whose sum depends on the order.
    private static float[] Values(int rank, int count)
    {
        var random = new Random(rank);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(8))))];
    }
}
