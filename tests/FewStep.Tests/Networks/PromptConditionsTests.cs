using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Tests.Platform;
using TorchSharp;

namespace FewStep.Tests.Networks;

public sealed class PromptConditionsTests : IDisposable
{
    private readonly WordLengths _encoder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void A_label_is_the_prompt_of_its_number_and_minus_one_the_negative_prompt()
    {
        using var prompts = new PromptConditions(_encoder, ["a", "bb", "ccc"], "dddd");
        var found = Of(prompts, [2, -1, 0, 2]);
        Assert.Equal([3, 4, 1, 3], found.Context![.., 0, 0].data<float>());
        Assert.Equal([30, 40, 10, 30], found.Pooled![.., 0].data<float>());
        Assert.Equal([4, 2, 3], found.Context.shape);
        Assert.Null(found.Classes);
        Assert.Equal([4, 4], prompts.Of(null, 2, CPU, float32).Context![.., 0, 0].data<float>());
        Assert.Equal(ScalarType.BFloat16, prompts.Of(null, 2, CPU, bfloat16).Context!.dtype);
        Assert.Equal(ScalarType.Float32, prompts.Of(null, 2, CPU, bfloat16).Pooled!.dtype);
        using var empty = new PromptConditions(_encoder, ["a"]);
        Assert.Equal(0, empty.Of(null, 1, CPU, float32).Context![0, 0, 0].item<float>());
        var wrong = Assert.Throws<InvalidInputException>(() => Of(prompts, [0, 3]));
        Assert.StartsWith("Label 3 is none of the 3 prompts", wrong.Message);
    }

    [Fact]
    public void Prompts_are_encoded_once_when_they_are_asked_for()
    {
        using var prompts = new PromptConditions(_encoder, [.. Enumerable.Range(0, 1000).Select(i => $"{i}")]);
        Of(prompts, [3, 5, 3]);
        Of(prompts, [5, 7]);
        prompts.Of(null, 8, CPU, float32);
        Assert.Equal(["3", "5", "7", ""], _encoder.Told);
        Assert.Equal(4, prompts.Kept);
    }

    [Fact]
    public void What_is_kept_is_bounded_and_the_oldest_goes_first()
    {
        // A row is 2 x 3 + 2 numbers.
        using var prompts = new PromptConditions(_encoder, ["a", "bb", "ccc", "dddd", "eeeee", "ffffff"], mostBytes: 4 * 8 * sizeof(float));
        foreach (long label in new long[] { 0, 1, 2, 0, 3 })
            Of(prompts, [label]);
        Assert.Equal(4, prompts.Kept);
        var all = Of(prompts, [0, 1, 2, 3, 4, 5]); // more than are kept
        Assert.Equal([1, 2, 3, 4, 5, 6], all.Context![.., 0, 0].data<float>());
        Assert.Equal(2, prompts.Kept);
        _encoder.Told.Clear();
        Of(prompts, [4, 5]);
        Assert.Empty(_encoder.Told);
    }

    [Fact]
    public void Tables_that_differ_have_other_identities()
    {
        string Identity(string negative, params string[] texts)
        {
            using var prompts = new PromptConditions(_encoder, texts, negative);
            return prompts.Identity;
        }

        string[] all = [Identity("", "a", "b"), Identity("", "a b"), Identity("", "b", "a"), Identity("a", "b"), Identity("b", "a", "b")];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(all[0], Identity("", "a", "b"));
        Assert.Contains("1 to 1000000", Assert.Throws<InvalidInputException>(() => Identity("")).Message);
        Assert.Contains("Prompt 1 has more than", Assert.Throws<InvalidInputException>(() => Identity("", "a", new('x', 10_001))).Message);
    }

    [Fact]
    public void Shares_of_a_batch_are_told_their_own_prompts()
    {
        const int batch = 40;
        float[] Outputs(int threads) => OnThread.WithTensorThreads(threads, () =>
        {
            using var scope = NewDisposeScope();
            using var prompts = new PromptConditions(_encoder, ["a", "bb", "ccc"], "dddd");
            using var model = new NetworkDenoiser(new Told(), new EdmPreconditioning(), new ImageShape(1, 2, 2), 0, zeros(1))
            { Conditions = prompts };
            Assert.Equal(3, model.Classes);
            var labels = arange(batch, dtype: int64).remainder(4) - 1;
            var guided = GuidedDenoiser.ClassifierFree(model, new Guidance { Weight = 3 });
            return guided.Denoise(zeros(batch, 1, 2, 2), ones(1), labels).data<float>().ToArray();
        });
        float[] one = Outputs(1), two = Outputs(2);
        Assert.Equal(one, two);
        // c_out F with F the prompt's length; guidance from 4, the negative prompt's, and none where the label is -1.
        double scale = 0.5 / Math.Sqrt(1.25);
        double[] expected = [4, 4 + (3 * (1 - 4)), 4 + (3 * (2 - 4)), 4 + (3 * (3 - 4))];
        Assert.All(Enumerable.Range(0, batch), i => Assert.Equal(expected[i % 4] * scale, one[4 * i], 1e-5));
    }

    private static NetworkCondition Of(PromptConditions prompts, long[] labels)
        => prompts.Of(tensor(labels), labels.Length, CPU, float32);

    /// <summary>An "embedding" that is the text's length.</summary>
    private sealed class WordLengths : IPromptEncoder
    {
        public List<string> Told { get; } = [];
        public string Hash => "lengths";

        public NetworkCondition Encode(IReadOnlyList<string> prompts)
        {
            Told.AddRange(prompts);
            var lengths = tensor(prompts.Select(p => (float)p.Length).ToArray());
            return new() { Context = lengths.view(-1, 1, 1).expand(-1, 2, 3), Pooled = (lengths * 10).view(-1, 1).expand(-1, 2) };
        }
    }

    /// <summary>A network that says what it is told.</summary>
    private sealed class Told : Network
    {
        public Told() => Builder.Parameter("unused", WeightInit.Zeros, 1);

        public override double Dropout => 0;

        public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
            => condition!.Context![.., 0, 0].view(-1, 1, 1, 1).expand(x.shape).clone();
    }
}
