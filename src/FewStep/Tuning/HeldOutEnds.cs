using FewStep.Collectives;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>How far the student's images of held-out latents are from the teacher's, which are made once. Of several ranks each measures
/// its part.</summary>
internal sealed class HeldOutEnds(
    TuningNetwork network, Sampler sampler, TeacherPath teacher, TuningOptions options, IImageEmbedding embedding) : IDisposable
{
    private readonly List<(Tensor All, Tensor Summary)> _ends = []; // embedded
    private readonly BatchPart _own = network.Ranks.PartOf(options.HeldOutCount);

    public string Name => options.EnergyWeight > 0
        ? InvariantText.Of($"mean-square distance to the teacher's endpoint in {embedding.Name}, and {options.EnergyWeight:G4} times the "
            + $"energy distance of the images,")
        : embedding is PixelEmbedding
        ? "root-mean-square distance of a pixel to the teacher's endpoint"
        : $"root-mean-square distance to the teacher's endpoint in {embedding.Name}";

    public double Distance(Tensor weights, CancellationToken cancellation)
    {
        using var inference = no_grad();
        var device = weights.device;
        var student = new SamplingLoop(network.HeldOut(weights), sampler.Solver, sampler.Schedule);
        double squares = 0;
        var summaries = new List<Tensor>();
        using var all = NewDisposeScope();
        for (int start = _own.First, batch = 0; start < _own.End; start += options.EvaluationBatch, batch++)
        {
            using var scope = NewDisposeScope();
            long[] seeds = SeedPlan.HeldOut(start, Math.Min(options.EvaluationBatch, _own.End - start));
            var latents = Latents.Draw(seeds, network.Model.Shape, device: device);
            var labels = SeedLabels.For(seeds, network.Model.Classes, device: device);
            if (batch == _ends.Count)
            {
                var theirs = embedding.EmbedWithSummary(teacher.SolveFinely(latents, labels, cancellation)[^1]);
                _ends.Add((Kept(theirs.All), Kept(theirs.Summary)));
            }

            var (own, summary) = embedding.EmbedWithSummary(student.Sample(latents, labels, cancellationToken: cancellation).Samples);
            squares += PairedDistance.MeanSquares(own - _ends[batch].All).Sum();
            summaries.Add(summary.MoveToOuterDisposeScope());
        }

        double paired = network.Ranks.Sum([squares])[0] / options.HeldOutCount;
        if (options.EnergyWeight == 0)
            return Math.Sqrt(paired);
        var (ours, ends) = (Rows(summaries), Rows(_ends.Select(e => e.Summary)));
        return paired + (options.EnergyWeight * EnergyDistance.Share(ours, 0, ours, ends).to(float64).item<double>());
    }

    public void Dispose() => _ends.ForEach(end =>
    {
        end.All.Dispose();
        end.Summary.Dispose();
    });

    private static Tensor Kept(Tensor x) => x.clone().DetachFromDisposeScope();
    private Tensor Rows(IEnumerable<Tensor> own) => network.Ranks.Rows(cat([.. own]), options.HeldOutCount);
}
