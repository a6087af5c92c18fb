using System.Net;

namespace FewStep.Load;

/// <summary>Clients that each ask for an image, wait for it, and ask for the next; a refused one waits as long as it was told.</summary>
internal static class LoadRun
{
    private const int Warmup = 2; // requests of a client, not measured

    public static async Task<LoadResult> ExecuteAsync(Uri server, int clients, TimeSpan duration)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = clients }) { BaseAddress = server };
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            for (int i = 0; i < Warmup; i++)
                (await http.GetAsync(Address(client, i))).Dispose();
        }));
        long began = Stopwatch.GetTimestamp();
        var seen = await Task.WhenAll(Enumerable.Range(0, clients).Select(client => AskAsync(http, client, began, duration)));
        var took = Stopwatch.GetElapsedTime(began);
        return new LoadResult(clients, took, [.. seen.SelectMany(s => s.Latencies).Order()], seen.Sum(s => s.Refused));
    }

    private static async Task<(List<double> Latencies, int Refused)> AskAsync(HttpClient http, int client, long began, TimeSpan duration)
    {
        var latencies = new List<double>();
        int refused = 0;
        for (int i = 0; Stopwatch.GetElapsedTime(began) < duration; i++)
        {
            long asked = Stopwatch.GetTimestamp();
            using var answer = await http.GetAsync(Address(client, i));
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                refused++;
                var wait = answer.Headers.RetryAfter!.Delta!.Value;
                var left = duration - Stopwatch.GetElapsedTime(began);
                await Task.Delay(wait < left ? wait : left > TimeSpan.Zero ? left : TimeSpan.Zero);
                continue;
            }

            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync();
            latencies.Add(Stopwatch.GetElapsedTime(asked).TotalSeconds);
        }

        return (latencies, refused);
    }

    private static string Address(int client, int number) => string.Create(
        CultureInfo.InvariantCulture, $"/images/{(client * 1_000_003L) + number}.png");
}
