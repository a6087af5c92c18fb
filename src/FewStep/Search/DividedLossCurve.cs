using FewStep.Shards;

namespace FewStep.Search;

/// <summary>The measurement of a loss curve, divided by batches of images. Nobody knows beforehand how many images it takes, so the shares
/// measure as many as it may take, and the curve is judged when they are joined, just as without shares: it may be there before the last
/// part is.</summary>
/// <param name="identity">All that determines the curve.</param>
/// <param name="imagesCost">Network evaluations that the images themselves have cost so far.</param>
internal sealed class DividedLossCurve(LossCurveEstimator estimator, Func<string> identity, Func<long> imagesCost,
    IProgress<WorkProgress>? progress, CancellationToken cancellation) : IDividedWork<MeasuredCurve>
{
    private const string StoreName = "losses", Losses = "losses", Sum = "sum", Squares = "squares";
    private const int Numbers = 3; // images, evaluations, what the images cost

    public string Identity => identity();

    public MeasuredCurve Whole()
    {
        long before = imagesCost();
        return new(estimator.Estimate(progress, cancellation), imagesCost() - before);
    }

    public void Do(Part part)
    {
        var store = PartTensors.Open(part, StoreName);
        CurveBatch[] own = [.. estimator.Batches().Where((_, i) => part.Shard.Owns(i))];
        long total = own.Sum(b => b.Indices.Length), done = 0;
        foreach (var batch in own)
        {
            if (!store.Has(Key(batch)))
            {
                using var scope = NewDisposeScope();
                using var mean = new MeanImageLoss();
                long before = imagesCost();
                var (rows, evaluations) = estimator.Measure(batch, mean, cancellation);
                var (sum, squares) = mean.Sums;
                store.Add(Key(batch), new Dictionary<string, Tensor>
                {
                    [Losses] = tensor(rows.SelectMany(r => r).ToArray(), float64).view(rows.Length, -1),
                    [Sum] = sum.cpu(),
                    [Squares] = squares.cpu(),
                }, rows.Length, evaluations, imagesCost() - before);
            }

            done += batch.Indices.Length;
            progress?.Report(new WorkProgress("loss curve", done, total, "img"));
        }
    }

    public MeasuredCurve Join(Parts parts)
    {
        var stores = parts.All.ToDictionary(p => p.Shard.Number, p => PartTensors.Open(p, StoreName));
        var owners = estimator.Batches().Select((batch, i) => (Key(batch), Owner: Shard.OwnerOf(i, parts.Count))).ToDictionary();
        long images = 0;
        using var meanImage = new MeanImageLoss();
        var curve = estimator.Estimate(batch =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            if (!stores.TryGetValue(owners[Key(batch)], out var store) || store.Find(Key(batch), Numbers) is not { } found)
            {
                parts.RequireAll(Lacking);
                throw new InvalidOperationException("A batch is missing, and of no part.");
            }

            double[] values = Read(found.Tensors, Losses).flatten().data<double>().ToArray();
            int points = estimator.Sigmas.Count;
            if (values.Length != batch.Indices.Length * points || found.Numbers[0] != batch.Indices.Length)
                throw Damaged(batch);
            meanImage.Join(Read(found.Tensors, Sum), Read(found.Tensors, Squares), batch.Indices.Length);
            images += (long)found.Numbers[2];
            return ([.. values.Chunk(points)], (long)found.Numbers[1]);

            Tensor Read(IReadOnlyDictionary<string, Tensor> tensors, string name) =>
                tensors.TryGetValue(name, out var read) && read.dtype == float64 ? read : throw Damaged(batch);
        }, meanImage, progress);
        return new(curve, images);

        string? Lacking(Part part)
        {
            int lacking = owners.Count(o => o.Value == part.Shard.Number && !stores[o.Value].Has(o.Key));
            return lacking == 0 ? null : InvariantText.Of($"{lacking} batches of images");
        }
    }

    private static string Key(CurveBatch batch) => InvariantText.Of($"images {batch.First} and {batch.Indices.Length - 1} more");

    private static InvalidInputException Damaged(CurveBatch batch) =>
        new($"A part is damaged where it holds the losses of {Key(batch)}; remove it and run its shard again.");
}

/// <summary>A loss curve, and the network evaluations that the images it was measured on have cost.</summary>
internal sealed record MeasuredCurve(LossCurve Curve, long ImagesCost);
