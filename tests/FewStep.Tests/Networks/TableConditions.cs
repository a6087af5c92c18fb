using FewStep.Networks;

namespace FewStep.Tests.Networks;

/// <summary>Labels whose embeddings lie in a table, the first of which is that of -1.</summary>
internal sealed class TableConditions(NetworkCondition table) : IConditions
{
    public int Count { get; } = (int)table.Context!.shape[0] - 1;

    public NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type)
    {
        var rows = (labels ?? full([batch], -1, ScalarType.Int64)) + 1;
        var found = table.Each(t => t.index_select(0, rows));
        return found with { Context = found.Context!.to(type) };
    }

    /// <summary>The two prompts that Stable Diffusion's tiny pipeline was computed with, and the empty one.</summary>
    public static TableConditions OfGoldenPrompts()
    {
        var golden = GoldenPipelines.Arrays("sd15-tiny", "unet.golden.npz");
        Tensor[] rows = [golden["encoder_hidden_states_uncond"].narrow(0, 0, 1), golden["encoder_hidden_states"]];
        return new(new NetworkCondition { Context = cat(rows).DetachFromDisposeScope() });
    }

    /// <summary>Random texts for a network of any kind.</summary>
    public static TableConditions Random(int count, int width, int pooled)
    {
        using var generator = new Generator(3);
        return new(new NetworkCondition
        {
            Context = randn(count + 1, 5, width, generator: generator),
            Pooled = randn(count + 1, pooled, generator: generator),
            GuidanceScale = ones(count + 1),
        });
    }
}
