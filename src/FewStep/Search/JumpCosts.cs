using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>What it costs to replace a piece of a teacher's trajectory by one Euler step, for every pair of its points and each
/// latent.</summary>
internal sealed class JumpCosts
{
    private readonly List<double[][]> _latents = []; // a table [i][j - i - 1] each

    /// <summary>The mean table [i][j]; 0 where j is not above i.</summary>
    public double[][] Mean { get; }

    public JumpCosts(
        PairedSampling paired, ISolver teacher, SamplingSchedule schedule, SeedList seeds, GitsMetric metric,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        double[] sigmas = [.. schedule.Sigmas];
        paired.Trajectories(teacher, schedule, seeds, path => Add(path, sigmas, metric), progress, cancellation);
        Mean = Average(sigmas.Length);
    }

    /// <summary>The cost of a way for each latent: sum over its jumps of coefficient^k cost.</summary>
    public double[] PathCosts(int[] path, double coefficient) =>
        [.. _latents.Select(
            table => Enumerable.Range(0, path.Length - 1).Sum(k => Math.Pow(coefficient, k) * table[path[k]][path[k + 1] - path[k] - 1]))];

    private void Add(Trajectory path, double[] sigmas, GitsMetric metric)
    {
        int points = sigmas.Length;
        var x = stack(path.States).flatten(2); // [P,B,d]
        var D = stack([.. path.Denoised.Take(points - 1)]).flatten(2);
        int batch = (int)x.shape[1];
        var end = x[points - 1];
        var line = end - x[0];
        line = line / line.norm(1, keepdim: true);
        var teacher = metric == GitsMetric.Deviation ? FromLine(x, end, line) : null; // [P,B]
        var costs = new List<Tensor>();
        for (int i = 0; i < points - 1; i++)
        {
            using var step = NewDisposeScope();
            var r = HostCopy.To(tensor(sigmas[(i + 1)..].Select(s => (float)(s / sigmas[i])).ToArray()), x.device).view(-1, 1, 1);
            var jumps = D[i].unsqueeze(0).Plus(r * (x[i] - D[i]).unsqueeze(0)); // [P-i-1,B,d]
            var cost = teacher is null ? (jumps - x.slice(0, i + 1, points, 1)).norm(2)
                : FromLine(jumps, end, line) - teacher.slice(0, i + 1, points, 1);
            costs.Add(cost.to(float64).t().MoveToOuterDisposeScope()); // [B,P-i-1]
        }

        // One reading for all jumps: each would wait for a GPU.
        double[] values = cat(costs, 1).contiguous().cpu().data<double>().ToArray();
        int jumpsOfImage = values.Length / batch;
        for (int b = 0; b < batch; b++)
        {
            var table = new double[points - 1][];
            int at = b * jumpsOfImage;
            for (int i = 0; i < table.Length; i++)
            {
                int jumps = points - i - 1;
                table[i] = values[at..(at + jumps)];
                at += jumps;
            }

            _latents.Add(table);
        }
    }

    // Distance of points [K,B,d] from the line through the end [B,d] along unit vectors [B,d].
    private static Tensor FromLine(Tensor points, Tensor end, Tensor line)
    {
        var away = end.unsqueeze(0) - points;
        var along = (away * line.unsqueeze(0)).sum(2, keepdim: true);
        return (away - (along * line.unsqueeze(0))).norm(2);
    }

    private double[][] Average(int points)
    {
        double[][] mean = [.. Enumerable.Range(0, points).Select(_ => new double[points])];
        for (int i = 0; i < points - 1; i++)
        {
            for (int j = i + 1; j < points; j++)
                mean[i][j] = _latents.Average(table => table[i][j - i - 1]);
        }

        return mean;
    }
}
