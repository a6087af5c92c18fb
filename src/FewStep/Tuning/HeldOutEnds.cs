using FewStep.Collectives;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>How far the student's images of held-out latents are from the teacher's, which are made once. Of several ranks each measures
/// its part.</summary>
internal sealed class HeldOutEnds(
    TuningNetwork network, Sampler sampler, TeacherPath teacher, TuningOptions options, IImageEmbedding embedding) : IDisposable
{
    private readonly List<Tensor> _ends = [], _summaries = []; // of the teacher's, embedded; summaries where they are asked for
    private readonly BatchPart _own = network.Ranks.PartOf(options.HeldOutCount);

    public string Name => this switch
    {
        _ when HasEnergy => InvariantText.Of($"mean square to the teacher's endpoint in {embedding.Name}, plus {options.EnergyWeight:G4} ")
            + "times the energy distance",
        _ when embedding is PixelEmbedding => "root-mean-square distance of a pixel to the teacher's endpoint",
        _ => $"root-mean-square distance to the teacher's endpoint in {embedding.Name}",
    };

    private bool HasEnergy => options.EnergyWeight > 0;

    public double Distance(Tensor weights, CancellationToken cancellation)
    {
        using var inference = no_grad();
        var device = weights.device;
        var student = new SamplingLoop(network.HeldOut(weights), sampler.Solver, sampler.Schedule);
        double squares = 0;
        var summaries = new List<Tensor>();
        using var kept = NewDisposeScope();
        for (int start = _own.First, batch = 0; start < _own.End; start += options.EvaluationBatch, batch++)
        {
            using var scope = NewDisposeScope();
            long[] seeds = SeedPlan.HeldOut(start, Math.Min(options.EvaluationBatch, _own.End - start));
            var latents = Latents.Draw(seeds, network.Model.Shape, device: device);
            var labels = SeedLabels.For(seeds, network.Model.Classes, device: device);
            if (batch == _ends.Count)
            {
                var theirs = embedding.EmbedWithSummary(teacher.SolveFinely(latents, labels, cancellation)[^1]);
                _ends.Add(theirs.All.clone().DetachFromDisposeScope());
                if (HasEnergy)
                    _summaries.Add(theirs.Summary.clone().DetachFromDisposeScope());
            }

            var (own, summary) = embedding.EmbedWithSummary(student.Sample(latents, labels, cancellationToken: cancellation).Samples);
            squares += PairedDistance.MeanSquares(own - _ends[batch]).Sum();
            if (HasEnergy)
                summaries.Add(summary.MoveToOuterDisposeScope());
        }

        double paired = network.Ranks.Sum([squares])[0] / options.HeldOutCount;
        return HasEnergy ? paired + (options.EnergyWeight * Energy(cat(summaries), cat(_summaries))) : Math.Sqrt(paired);
    }

    public void Dispose()
    {
        _ends.ForEach(end => end.Dispose());
        _summaries.ForEach(summary => summary.Dispose());
    }

    // Each rank's share, so that all have the same sum.
    private double Energy(Tensor own, Tensor teacher)
    {
        var share = EnergyDistance.Share(
            own, _own.First, network.Ranks.Rows(own, options.HeldOutCount), network.Ranks.Rows(teacher, options.HeldOutCount));
        return network.Ranks.Sum([share.item<float>()])[0];
    }
}
