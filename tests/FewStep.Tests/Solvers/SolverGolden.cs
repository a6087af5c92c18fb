using FewStep.Denoising;
using FewStep.Runtime;

namespace FewStep.Tests.Solvers;

/// <summary>Runs of zju-pi/diff-sampler (gits-main) on exact mixture denoisers, in float64.</summary>
internal sealed record SolverGolden(string Source, SolverGolden.Case[] Cases)
{
    public static SolverGolden Read() => JsonFile.Read<SolverGolden>(Path.Combine(AppContext.BaseDirectory, "golden", "solvers", "euler-heun.json"));

    internal sealed record Case(Mixture Gmm, int[] Shape, double[] Latents, Levels Schedule, Run[] Runs)
    {
        public GaussianMixtureDenoiser Denoiser()
        {
            // The reference's weights are normalised to a few units in the last place only.
            var shape = new ImageShape(Shape[1], Shape[2], Shape[3]);
            return new GaussianMixtureDenoiser(new GaussianMixture(shape, Gmm.Weights, Gmm.Means, Gmm.Stds));
        }
    }

    internal sealed record Mixture(double[] Weights, double[][] Means, double[] Stds);

    internal sealed record Levels(string Kind, double Rho, int Steps, double[] Sigmas);

    internal sealed record Run(string Solver, Dictionary<string, bool> Options, int Nfe, double[] Samples);
}
