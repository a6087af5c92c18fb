using FewStep.Denoising;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Tests.Search;

/// <summary>Exact models for searches, small enough for thousands of runs.</summary>
internal static class SearchModels
{
    public static readonly ImageShape Shape = new(1, 2, 2);

    /// <summary>Three components of different widths in two classes.</summary>
    public static GaussianMixtureDenoiser Mixture() =>
        new(new GaussianMixture(
            Shape, [0.5, 0.3, 0.2], [[0.8, -0.4, 0.5, 0.2], [-0.6, 0.7, -0.3, 0.9], [0.1, 0.2, -0.9, -0.7]], [0.1, 0.3, 0.05], [0, 1, 0]));

    /// <summary>The context of a search.</summary>
    public static ScheduleSearchContext Context(IDenoiser denoiser, int? images = 6, int batchSize = 64, ISolver? solver = null) =>
        new() { Denoiser = denoiser, Solver = solver ?? new EulerSolver(), Images = images, BatchSize = batchSize };

    /// <summary>A request with the models' noise levels.</summary>
    public static ScheduleSearchRequest Request(params int[] steps) => new() { Steps = steps, SigmaMax = 80, SigmaMin = 0.002 };

    /// <summary>All ways from the first to the last of some points in so many jumps.</summary>
    public static IEnumerable<int[]> Paths(int points, int steps)
    {
        IEnumerable<int[]> From(int[] path) => path.Length == steps
            ? [[.. path, points - 1]]
            : Enumerable.Range(path[^1] + 1, Math.Max(0, points - 2 - path[^1])).SelectMany(next => From([.. path, next]));
        return From([0]);
    }
}
