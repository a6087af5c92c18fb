namespace FewStep.Networks;

/// <summary>A U-Net over its plan. Architectures differ in their embedding, in what changes the resolution, and in the end.</summary>
internal abstract class UNet(IUNetOptions options) : Network
{
    private readonly List<Layer> _layers = [];

    /// <summary>Evaluates a layer on x, which a skip connection has joined.</summary>
    protected delegate Tensor Layer(ForwardPass pass, Tensor x, State state);

    public List<UNetLayer> Plan { get; } = UNetPlan.Of(options);
    public sealed override double Dropout => options.Dropout;

    public sealed override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, Tensor? classes)
    {
        var state = new State(Embed(pass, noiseLabels, classes), x);
        var skips = new Stack<Tensor>();
        foreach (var (place, layer) in Plan.Zip(_layers))
        {
            x = layer(pass, place.JoinsSkip ? cat([x, skips.Pop()], 1) : x, state);
            if (place.IsEncoder)
                skips.Push(x);
        }

        return End(pass, x, state);
    }

    /// <summary>Makes the layers between embedding and end, whose parameters come in this order.</summary>
    protected void Lay(Func<UNetLayer, NetworkBuilder, Layer> make)
    {
        foreach (var place in Plan)
            _layers.Add(make(place, Builder.At(place.Prefix)));
    }

    protected abstract Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes);

    protected abstract Tensor End(ForwardPass pass, Tensor x, State state);

    protected static Layer Block(UNetLayer place, NetworkBuilder at, UNetBlockOptions options)
    {
        var block = new UNetBlock(at, place, options);
        return (pass, x, state) => block.Forward(pass, x, state.Embedding);
    }

    protected static Layer Convolution(Conv2d convolution) => (pass, x, _) => convolution.Forward(pass, x);

    /// <summary>What an evaluation hands from layer to layer beside the features.</summary>
    protected sealed class State(Tensor embedding, Tensor image)
    {
        public Tensor Embedding { get; } = embedding;

        /// <summary>The input on its auxiliary way down.</summary>
        public Tensor Image { get; set; } = image;

        /// <summary>The output on its auxiliary way up; null before it begins.</summary>
        public Tensor? Output { get; set; }
    }
}
