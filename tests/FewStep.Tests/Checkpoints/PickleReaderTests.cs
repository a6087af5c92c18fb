using System.Numerics;
using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class PickleReaderTests
{
    private static readonly PickleCalls Calls = new("module.Known");

    [Fact]
    public void Values_of_all_protocols_are_read()
    {
        var dictionary = Assert.IsType<PickleDictionary>(Read(new PickleBuilder()
            .Op("}(").Text("n").Op("N").Text("t").Raw(0x88).Text("i").Op("J").Int32(-5).Text("i2").Op("M").Raw(1, 2)
            .Text("big").Raw(0x8a, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0).Text("f").Op("G").Raw(0x3f, 0xf8, 0, 0, 0, 0, 0, 0)
            .Text("bytes").ByteString([1, 2, 3]).Text("list").Op("](K\u0001K\u0002e").Text("pair").Op("K\u0001K\u0002").Raw(0x86)
            .Text("set").Raw(0x8f).Op("(K\u0007").Raw(0x90).Text("short").Raw(0x8c, 2).Op("ab").Op("u")));
        Assert.Null(dictionary["n"]);
        Assert.Equal(true, dictionary["t"]);
        Assert.Equal(-5L, dictionary["i"]);
        Assert.Equal(513L, dictionary["i2"]);
        Assert.Equal(BigInteger.Pow(2, 64), dictionary["big"]);
        Assert.Equal(1.5, dictionary["f"]);
        Assert.Equal([1, 2, 3], ((ByteSource)dictionary["bytes"]!).ToArray(3));
        Assert.Equal([1L, 2L], (List<object?>)dictionary["list"]!);
        Assert.Equal([1L, 2L], (object?[])dictionary["pair"]!);
        Assert.Equal([7L], ((PickleSet)dictionary["set"]!).Items);
        Assert.Equal("ab", dictionary["short"]);
    }

    [Fact]
    public void The_memo_keeps_identity_even_of_a_list_in_itself()
    {
        var list = Assert.IsType<List<object?>>(Read(new PickleBuilder(4).Op("]").Raw(0x94).Op("h\0a")));
        Assert.Same(list, Assert.Single(list));
    }

    [Fact]
    public void Known_calls_are_recorded_and_not_made()
    {
        var made = Assert.IsType<PickleObject>(Read(new PickleBuilder().Global("module", "Known").Op(")").Raw(0x81).Op("K\u0003b")));
        Assert.Equal("module.Known", made.Callee);
        Assert.Equal(3L, made.State);
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("module", "Known.__init__")]
    [InlineData("module.Known", "")]
    public void Names_outside_the_list_are_refused_by_name(string module, string name)
    {
        Refused.With($"'{module}.{name}'", () => Read(new PickleBuilder().Global(module, name).Text("echo harm").Raw(0x85).Op("R")));
        Refused.With($"'{module}.{name}'", () => Read(new PickleBuilder(4).Text(module).Text(name).Raw(0x93)));
    }

    [Fact]
    public void A_forged_name_cannot_forge_a_line()
        => Refused.With("'a?b.c?[31m'", () => Read(new PickleBuilder(4).Text("a\nb").Text("c\u001b[31m").Raw(0x93)));

    public static TheoryData<string, byte[]> Hostile => new()
    {
        { "too early", [] },
        { "does not start", [0x80, 0, (byte)'.'] },
        { "does not start", "hello, world"u8.ToArray() },
        { "opcode 0x69", new PickleBuilder().Op("ios\nsystem\n").Bytes },
        { "opcode 0x50", new PickleBuilder().Op("Pid\n").Bytes },
        { "opcode 0x51", new PickleBuilder().Op("NQ").Bytes },
        { "opcode 0x82", new PickleBuilder().Raw(0x82, 1).Bytes },
        { "beyond the end", new PickleBuilder().Op("B").Int32(int.MaxValue).Bytes },
        { "beyond the end", new PickleBuilder().Op("B").Int32(-1).Bytes },
        { "beyond the end", new PickleBuilder(4).Raw(0x8e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff).Bytes },
        { "beyond the end", new PickleBuilder(4).Raw(0x95, 0, 0, 0, 0, 0, 0, 0, 1).Bytes },
        { "a text of", new PickleBuilder().Op("X").Int32(-1).Bytes },
        { "an integer of", new PickleBuilder().Raw(0x8b, 0xff, 0xff, 0xff, 0x7f).Bytes },
        { "not UTF-8", new PickleBuilder().Op("X").Int32(2).Raw(0xc3, 0x28).Bytes },
        { "without end", new PickleBuilder().Op("c" + new string('a', 5000)).Bytes },
        { "recalled before", new PickleBuilder().Op("h\u0005").Bytes },
        { "value is missing", new PickleBuilder().Op("R").Bytes },
        { "value is missing", new PickleBuilder().Op("](a").Bytes },
        { "value is missing", new PickleBuilder().Op("0").Bytes },
        { "mark is missing", new PickleBuilder().Op("t").Bytes },
        { "no list", new PickleBuilder().Op("}Na").Bytes },
        { "no dictionary", new PickleBuilder().Op("]NNs").Bytes },
        { "no set", new PickleBuilder().Op("](N").Raw(0x90).Bytes },
        { "key without", new PickleBuilder().Op("}(Nu").Bytes },
        { "no name", new PickleBuilder().Op("N)R").Bytes },
        { "no sense", new PickleBuilder().Global("collections", "OrderedDict").Op("N").Raw(0x85).Op("R").Bytes },
        { "has none", new PickleBuilder().Op("NNb").Bytes },
        { "several values", new PickleBuilder().Op("NN.").Bytes },
        { "several values", new PickleBuilder().Op("(N.").Bytes },
        { "too early", new PickleBuilder().Op("N").Bytes },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Damage_is_refused_in_one_line(string reason, byte[] pickle) => Refused.With(reason, () => Read(pickle));

    [Fact]
    public void Bombs_end() // walked naively, some of them would outlast the machine
    {
        // Marks in marks, and more opcodes than any network needs.
        Refused.With("nested", () => Read(new PickleBuilder().Op(new string('(', 100_000))));
        Refused.With("more than", () => Read(new PickleBuilder().Op(new string('}', 3_000_000))));

        // Ten million levels of tuples; a reader that recursed would overflow its stack.
        Refused.With("more than", () => Read([.. new PickleBuilder().Op("N").Bytes, .. Enumerable.Repeat((byte)0x85, 10_000_000)]));

        // Doubling: t = (t, t) a thousand times would be 2^1000 values if anything walked, hashed or printed it; as a key too.
        var doubling = new PickleBuilder(4).Op("}");
        doubling.Op("N");
        for (int i = 0; i < 1000; i++)
            doubling.Op("2").Raw(0x86);
        Assert.Single(Assert.IsType<PickleDictionary>(Read(doubling.Op("Ns"))).Entries);

        // A long list recalled and wrapped again and again must not be copied each time.
        var copies = new PickleBuilder(4).Op("]").Raw(0x94).Op("(").Op(new string('N', 200_000)).Op("e0").Global("builtins", "set")
            .Raw(0x94).Op("0](");
        for (int i = 0; i < 100_000; i++)
            copies.Op("h\u0001h\0").Raw(0x85).Op("R");
        Assert.Equal(100_000, Assert.IsType<List<object?>>(Read(copies.Op("e"))).Count);
    }

    [Fact]
    public void Random_damage_never_escapes_as_another_exception()
    {
        byte[] good = [.. new PickleBuilder(4).Op("}(").Text("a").Global("module", "Known").Op(")RK\u0001b").Text("b").Op(
            "](K\u0001K\u0002e").Raw(0x94)
            .Text("c").ByteString(new byte[100]).Text("d").Op("h\0").Text("e").Number(5).Op("u.").Bytes];
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bad = good[..random.Next(1, good.Length + 1)];
            for (int k = random.Next(4); k > 0; k--)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            try
            {
                long position = 0;
                _ = PickleReader.Read(new ByteSource(bad, "test.pkl"), ref position, Calls);
            }
            catch (InvalidInputException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }
    }

    private static object? Read(PickleBuilder builder) => Read([.. builder.Bytes, (byte)'.']);

    private static object? Read(byte[] bytes)
    {
        long position = 0;
        return PickleReader.Read(new ByteSource(bytes, "test.pkl"), ref position, Calls);
    }
}
